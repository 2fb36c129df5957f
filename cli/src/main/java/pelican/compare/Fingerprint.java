package pelican.compare;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufMetadata;
import pelican.gguf.TensorInfo;

/** Digests that tell files and parts of them apart: the first 16 hexadecimal digits of SHA-256. */
public final class Fingerprint {
  /** Bytes of each tensor that a file's fingerprint covers, so that it takes no time. */
  private static final int SAMPLE = 4096;

  private final MessageDigest digest;

  private Fingerprint() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /**
   * Tells models apart: covers the names, types and shapes of all tensors and the first 4 KiB of
   * each one's data.
   */
  public static String of(GgufFile file) {
    Fingerprint fingerprint = new Fingerprint();
    for (TensorInfo tensor : file.tensors().values()) {
      fingerprint.add(tensor.name() + tensor.type() + tensor.dims());
      MemorySegment data = file.data(tensor);
      MemorySegment sample = data.asSlice(0, Math.min(SAMPLE, data.byteSize()));
      fingerprint.digest.update(file.reading(() -> sample.toArray(ValueLayout.JAVA_BYTE)));
    }
    return fingerprint.toString();
  }

  /** Of a text. */
  public static String of(String text) {
    Fingerprint fingerprint = new Fingerprint();
    fingerprint.add(text);
    return fingerprint.toString();
  }

  /** Of everything that decides which tokens a text becomes. */
  static String ofTokenizer(GgufMetadata metadata) {
    Fingerprint fingerprint = new Fingerprint();
    for (String key : metadata.keys().stream().sorted().toList()) {
      if (key.startsWith("tokenizer.") && !key.startsWith("tokenizer.chat_template")) {
        fingerprint.add(key);
        fingerprint.addValue(metadata.get(key));
      }
    }
    return fingerprint.toString();
  }

  private void addValue(Object value) {
    if (value instanceof List<?> list) {
      list.forEach(this::addValue);
    } else {
      add(String.valueOf(value));
    }
  }

  private void add(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    // Lengths keep neighbours apart: "a", "bc" is not "ab", "c".
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
    digest.update(bytes);
  }

  @Override
  public String toString() {
    return HexFormat.of().formatHex(digest.digest()).substring(0, 16);
  }
}
