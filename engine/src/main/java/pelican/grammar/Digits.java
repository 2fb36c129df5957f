package pelican.grammar;

import java.math.BigInteger;
import java.util.Set;

/**
 * The rest of a number without sign or exponent, of at most {@code scale} decimal places.
 *
 * @param low the least value times 10 to the power of {@code scale}
 * @param high the largest, as {@code low}
 * @param step what the value is a multiple of, times the same power
 * @param read the digits so far as one number
 * @param places digits after the point so far; -1 before the point, -2 at the beginning
 */
record Digits(
    BigInteger low, BigInteger high, int scale, BigInteger step, BigInteger read, int places)
    implements Node {
  static Digits of(BigInteger low, BigInteger high, int scale, BigInteger step) {
    return new Digits(low, high, scale, step, BigInteger.ZERO, -2);
  }

  private Digits with(BigInteger digits, int count) {
    return new Digits(low, high, scale, step, digits, count);
  }

  @Override
  public void step(int value, Stack rest, Set<Stack> out) {
    Digits next = null;
    if (value == '.' && places == -1 && scale > 0) {
      next = with(read, 0);
    } else if (value >= '0' && value <= '9') {
      boolean zero = places == -1 && read.signum() == 0;
      if (!zero && places < scale) {
        BigInteger all = read.multiply(BigInteger.TEN).add(BigInteger.valueOf(value - '0'));
        next = with(all, places < 0 ? -1 : places + 1);
      }
    }
    if (next != null && next.shortest() < NEVER) {
      out.add(rest.push(next));
    }
  }

  @Override
  public int shortest() {
    if (places >= 0) {
      return fraction(read, places, places == 0 ? 1 : 0);
    }
    if (places == -2) {
      int best = read(0).after();
      for (int digit = 1; digit < 10; digit++) {
        best = Math.min(best, read(digit).after());
      }
      return best;
    }
    return whole();
  }

  private Digits read(int digit) {
    return with(BigInteger.valueOf(digit), -1);
  }

  private int after() {
    return Math.min(NEVER, 1 + whole());
  }

  /** The fewest characters after digits before the point. */
  private int whole() {
    BigInteger from = read;
    BigInteger to = read;
    int best = NEVER;
    for (int more = 0; more < best; more++) {
      BigInteger first = from.multiply(power(scale));
      if (first.compareTo(high) > 0) {
        break;
      }
      BigInteger last = to.add(BigInteger.ONE).multiply(power(scale)).subtract(BigInteger.ONE);
      if (last.compareTo(low) >= 0) {
        best = Math.min(best, more + places(first, last));
      }
      if (read.signum() == 0) {
        break;
      }
      from = from.multiply(BigInteger.TEN);
      to = to.multiply(BigInteger.TEN).add(BigInteger.valueOf(9));
    }
    return best;
  }

  /** The fewest characters from the point on, the point included, of a value in an interval. */
  private int places(BigInteger first, BigInteger last) {
    BigInteger from = first.max(low);
    BigInteger to = last.min(high);
    for (int digits = 0; digits <= scale; digits++) {
      if (hasMultiple(from, to, power(scale - digits))) {
        return digits == 0 ? 0 : digits + 1;
      }
    }
    return NEVER;
  }

  private int fraction(BigInteger digits, int count, int least) {
    BigInteger unit = power(scale - count);
    BigInteger first = digits.multiply(unit);
    BigInteger from = first.max(low);
    BigInteger to = first.add(unit).subtract(BigInteger.ONE).min(high);
    for (int more = least; count + more <= scale; more++) {
      if (hasMultiple(from, to, power(scale - count - more))) {
        return more;
      }
    }
    return NEVER;
  }

  /** Whether there is a multiple of the unit and of the step; all are at least 0. */
  private boolean hasMultiple(BigInteger from, BigInteger to, BigInteger unit) {
    if (from.compareTo(to) > 0) {
      return false;
    }
    BigInteger both =
        step.equals(BigInteger.ONE) ? unit : unit.divide(unit.gcd(step)).multiply(step);
    return to.divide(both).multiply(both).compareTo(from) >= 0;
  }

  static BigInteger power(int exponent) {
    return BigInteger.TEN.pow(exponent);
  }
}
