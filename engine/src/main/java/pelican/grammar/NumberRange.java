package pelican.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Numbers between bounds, as texts without exponent and of a bounded number of digits. */
final class NumberRange {
  /** Digits of integers for which the schema states no bound. */
  private static final int INTEGER_DIGITS = 15;

  /** Digits before the point of other numbers for which the schema states no bound. */
  private static final int WHOLE_DIGITS = 9;

  /** Decimal places, but for bounds that have more. */
  private static final int PLACES = 6;

  private static final int MOST_PLACES = 30;
  private static final int MOST_DIGITS = 400;

  private static final List<String> BOUNDS =
      List.of("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum");

  /** Formats of numbers. */
  static final Set<String> FORMATS = Set.of("int32", "int64", "float", "double");

  private static final BigDecimal INT32 = BigDecimal.valueOf(Integer.MAX_VALUE);
  private static final BigDecimal INT64 = BigDecimal.valueOf(Long.MAX_VALUE);

  private NumberRange() {}

  /** Any number. */
  static Node unbounded() {
    Choice choice = new Choice(of(Map.of(), false, ""));
    choice.update();
    return choice;
  }

  /** A number given in a schema. */
  static BigDecimal decimal(Object value, String keyword, String pointer) {
    if (!(value instanceof Number)) {
      throw new SchemaException(
          pointer, "keyword '" + keyword + "' is " + JsonText.of(value) + ", expected a number");
    }
    BigDecimal number = new BigDecimal(value.toString());
    if (number.signum() == 0) {
      return BigDecimal.ZERO;
    }
    long digits = (long) number.precision() - number.scale();
    BigDecimal plain = Math.abs(digits) > MOST_DIGITS ? null : number.stripTrailingZeros();
    if (plain == null || plain.scale() > MOST_PLACES) {
      throw new SchemaException(
          pointer,
          String.format(
              "keyword '%s' is %s, expected at most %d digits and %d decimal places",
              keyword, number, MOST_DIGITS, MOST_PLACES));
    }
    return plain;
  }

  /** What is a multiple of both. */
  static BigDecimal common(BigDecimal a, BigDecimal b, String pointer) {
    int scale = Math.max(0, Math.max(a.scale(), b.scale()));
    BigInteger left = scaled(a, scale, RoundingMode.UNNECESSARY);
    BigInteger right = scaled(b, scale, RoundingMode.UNNECESSARY);
    if (left.signum() <= 0 || right.signum() <= 0) {
      throw new SchemaException(pointer, "keyword 'multipleOf': expected a number above 0");
    }
    return new BigDecimal(left.divide(left.gcd(right)).multiply(right), scale);
  }

  private static BigDecimal step(Map<String, Object> map, String pointer) {
    if (!map.containsKey("multipleOf")) {
      return null;
    }
    BigDecimal step = decimal(map.get("multipleOf"), "multipleOf", pointer);
    if (step.signum() <= 0) {
      throw new SchemaException(
          pointer, "keyword 'multipleOf' is " + step + ", expected a number above 0");
    }
    return step;
  }

  /** Bounds with those of formats. */
  private static Map<String, Object> withFormats(Map<String, Object> map, String pointer) {
    Map<String, Object> bounds = new LinkedHashMap<>(map);
    for (Object format : SchemaReader.every(map, "format")) {
      if (format.equals("int32") || format.equals("int64")) {
        BigDecimal most = format.equals("int32") ? INT32 : INT64;
        BigDecimal least = most.negate().subtract(BigDecimal.ONE);
        if (map.containsKey("minimum")) {
          least = least.max(decimal(map.get("minimum"), "minimum", pointer));
        }
        if (map.containsKey("maximum")) {
          most = most.min(decimal(map.get("maximum"), "maximum", pointer));
        }
        bounds.put("minimum", least);
        bounds.put("maximum", most);
        bounds.merge(
            "multipleOf",
            BigDecimal.ONE,
            (a, b) -> common(decimal(a, "multipleOf", pointer), BigDecimal.ONE, pointer));
      }
    }
    return bounds;
  }

  /** Whether a number is within the bounds that a schema states, whatever its digits. */
  static boolean contains(Number given, Map<String, Object> schema, String pointer) {
    Map<String, Object> map = withFormats(schema, pointer);
    BigDecimal value = new BigDecimal(given.toString());
    for (String keyword : BOUNDS) {
      if (map.containsKey(keyword)) {
        int sign = value.compareTo(decimal(map.get(keyword), keyword, pointer));
        boolean exclusive = keyword.startsWith("exclusive");
        boolean below = keyword.toLowerCase(Locale.ROOT).endsWith("maximum");
        if ((below ? sign : -sign) > (exclusive ? -1 : 0)) {
          return false;
        }
      }
    }
    BigDecimal step = step(map, pointer);
    if (step == null) {
      return true;
    }
    boolean plain = Math.abs((long) value.precision() - value.scale()) <= MOST_DIGITS;
    return plain && value.remainder(step).signum() == 0;
  }

  /** Non-negative and negative numbers within the bounds that a schema states. */
  static List<Node> of(Map<String, Object> schema, boolean integer, String pointer) {
    Map<String, Object> map = withFormats(schema, pointer);
    BigDecimal step = step(map, pointer);
    int scale = integer ? 0 : PLACES;
    for (String keyword : BOUNDS) {
      if (map.containsKey(keyword) && !integer) {
        scale = Math.max(scale, decimal(map.get(keyword), keyword, pointer).scale());
      }
    }
    scale = step == null || integer ? scale : Math.max(scale, step.scale());
    BigDecimal unit = new BigDecimal(BigInteger.ONE, scale);
    BigInteger multiple =
        scaled(step == null ? unit : common(step, unit, pointer), scale, RoundingMode.UNNECESSARY);
    BigInteger low = low(map, scale, pointer);
    BigInteger high = high(map, scale, pointer);
    BigInteger usual =
        Digits.power((integer ? INTEGER_DIGITS : WHOLE_DIGITS) + scale)
            .subtract(BigInteger.ONE)
            .max(multiple.multiply(BigInteger.TEN));
    // What is beyond the usual is allowed only where the bounds leave nothing else.
    if (low == null || low.compareTo(usual.negate()) < 0) {
      BigInteger least = usual.negate();
      if (high != null && high.compareTo(least) < 0) {
        least = high.multiply(BigInteger.TEN);
      }
      low = low == null ? least : low.max(least);
    }
    if (high == null || high.compareTo(usual) > 0) {
      BigInteger most = usual;
      if (low.compareTo(most) > 0) {
        most = low.multiply(BigInteger.TEN);
      }
      high = high == null ? most : high.min(most);
    }
    List<Node> signs = new ArrayList<>();
    if (high.signum() >= 0 && low.compareTo(high) <= 0) {
      signs.add(Digits.of(low.max(BigInteger.ZERO), high, scale, multiple));
    }
    if (low.signum() < 0 && low.compareTo(high) <= 0) {
      BigInteger nearest = high.negate().max(BigInteger.ONE);
      signs.add(new Opened('-', Digits.of(nearest, low.negate(), scale, multiple)));
    }
    return signs;
  }

  private static BigInteger low(Map<String, Object> map, int scale, String pointer) {
    BigInteger low = null;
    if (map.containsKey("minimum")) {
      BigDecimal value = decimal(map.get("minimum"), "minimum", pointer);
      low = scaled(value, scale, RoundingMode.CEILING);
    }
    if (map.containsKey("exclusiveMinimum")) {
      BigDecimal value = decimal(map.get("exclusiveMinimum"), "exclusiveMinimum", pointer);
      BigInteger next = scaled(value, scale, RoundingMode.FLOOR).add(BigInteger.ONE);
      low = low == null ? next : low.max(next);
    }
    return low;
  }

  private static BigInteger high(Map<String, Object> map, int scale, String pointer) {
    BigInteger high = null;
    if (map.containsKey("maximum")) {
      BigDecimal value = decimal(map.get("maximum"), "maximum", pointer);
      high = scaled(value, scale, RoundingMode.FLOOR);
    }
    if (map.containsKey("exclusiveMaximum")) {
      BigDecimal value = decimal(map.get("exclusiveMaximum"), "exclusiveMaximum", pointer);
      BigInteger next = scaled(value, scale, RoundingMode.CEILING).subtract(BigInteger.ONE);
      high = high == null ? next : high.min(next);
    }
    return high;
  }

  private static BigInteger scaled(BigDecimal value, int scale, RoundingMode mode) {
    return value.movePointRight(scale).setScale(0, mode).toBigInteger();
  }
}
