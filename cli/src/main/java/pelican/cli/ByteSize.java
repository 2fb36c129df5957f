package pelican.cli;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pelican.engine.PelicanException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes as people write them: {@code 8GiB}, {@code 500MB}, {@code 64k} or bytes. */
final class ByteSize implements ITypeConverter<Long> {
  private static final Pattern FORM = Pattern.compile("([0-9]{1,18}(?:\\.[0-9]{1,9})?)([a-z]*)");

  /** Powers of 1,000 with a B, of 1,024 with an i or with nothing. */
  private static final Map<String, Long> UNITS =
      Map.ofEntries(
          Map.entry("", 1L),
          Map.entry("b", 1L),
          Map.entry("k", 1L << 10),
          Map.entry("kb", 1_000L),
          Map.entry("kib", 1L << 10),
          Map.entry("m", 1L << 20),
          Map.entry("mb", 1_000_000L),
          Map.entry("mib", 1L << 20),
          Map.entry("g", 1L << 30),
          Map.entry("gb", 1_000_000_000L),
          Map.entry("gib", 1L << 30),
          Map.entry("t", 1L << 40),
          Map.entry("tb", 1_000_000_000_000L),
          Map.entry("tib", 1L << 40));

  @Override
  public Long convert(String text) {
    try {
      return parse(text);
    } catch (PelicanException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /**
   * The bytes that a text means.
   *
   * @throws PelicanException if it means none, or more than a long holds
   */
  static long parse(String text) {
    Matcher matcher = FORM.matcher(text.strip().toLowerCase(Locale.ROOT).replace(" ", ""));
    Long unit = matcher.matches() ? UNITS.get(matcher.group(2)) : null;
    if (unit != null) {
      BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unit));
      if (bytes.compareTo(BigDecimal.ONE) >= 0
          && bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) <= 0) {
        return bytes.longValue();
      }
    }
    throw new PelicanException("'" + text + "' is no size, expected one such as 8GiB or 500MB");
  }
}
