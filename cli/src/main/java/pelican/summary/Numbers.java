package pelican.summary;

import java.util.Locale;

/** Numbers for people. */
public final class Numbers {
  private Numbers() {}

  /** A share between 0 and 1 with one decimal: {@code 98.5 %}. */
  public static String percent(double share) {
    return fixed(100 * share, 1) + " %";
  }

  /** So many decimals; a negative number that is rounded to zero loses its sign. */
  public static String fixed(double value, int decimals) {
    String text = String.format(Locale.ROOT, "%." + decimals + "f", value);
    return text.matches("-0\\.?0*") ? text.substring(1) : text;
  }

  /** Four significant digits, with an exponent for very small and very large numbers. */
  public static String significant(double value) {
    double size = Math.abs(value);
    if (size == 0) {
      return "0";
    }
    if (size < 1e-3 || size >= 1e6) {
      return String.format(Locale.ROOT, "%.2e", value);
    }
    return fixed(value, Math.clamp(3 - (int) Math.floor(Math.log10(size)), 0, 6));
  }
}
