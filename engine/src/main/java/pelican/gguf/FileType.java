package pelican.gguf;

import java.util.Map;

/** The labels of llama.cpp's quantization mixes, by the number in {@code general.file_type}. */
public final class FileType {
  private static final Map<Integer, String> LABELS =
      Map.ofEntries(
          Map.entry(0, "F32"),
          Map.entry(1, "F16"),
          Map.entry(2, "Q4_0"),
          Map.entry(3, "Q4_1"),
          Map.entry(7, "Q8_0"),
          Map.entry(8, "Q5_0"),
          Map.entry(9, "Q5_1"),
          Map.entry(10, "Q2_K"),
          Map.entry(11, "Q3_K_S"),
          Map.entry(12, "Q3_K_M"),
          Map.entry(13, "Q3_K_L"),
          Map.entry(14, "Q4_K_S"),
          Map.entry(15, "Q4_K_M"),
          Map.entry(16, "Q5_K_S"),
          Map.entry(17, "Q5_K_M"),
          Map.entry(18, "Q6_K"),
          Map.entry(25, "IQ4_NL"),
          Map.entry(30, "IQ4_XS"),
          Map.entry(32, "BF16"));

  private FileType() {}

  /** The label of a file: {@code Q4_K_M}, say; {@code unknown} if it states none. */
  public static String label(GgufMetadata metadata) {
    return LABELS.getOrDefault(metadata.integer("general.file_type", -1), "unknown");
  }
}
