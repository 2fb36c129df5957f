package pelican.models.quantize;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import pelican.engine.PelicanException;
import pelican.gguf.GgmlType;

/** The mixes of tensor types that a file can be quantized to, under llama.cpp's names. */
public enum QuantizationMix {
  F16(1, GgmlType.F16),
  Q4_0(2, GgmlType.Q4_0),
  Q8_0(7, GgmlType.Q8_0),
  Q4_K_M(15, GgmlType.Q4_K),
  Q5_K_M(17, GgmlType.Q5_K),
  Q6_K(18, GgmlType.Q6_K);

  private final int fileType;
  private final GgmlType base;

  QuantizationMix(int fileType, GgmlType base) {
    this.fileType = fileType;
    this.base = base;
  }

  /** The number that {@code general.file_type} has in a file of this mix. */
  public int fileType() {
    return fileType;
  }

  /** The type of most matrices. */
  GgmlType base() {
    return base;
  }

  /**
   * The mix with a name, in any case.
   *
   * @throws PelicanException if there is none
   */
  public static QuantizationMix named(String name) {
    return Arrays.stream(values())
        .filter(mix -> mix.name().equals(name.toUpperCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() ->
            new PelicanException(
                "quantization \"" + name + "\" is unknown, expected one of " + names()));
  }

  /** All names, for messages and help. */
  public static String names() {
    return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
  }
}
