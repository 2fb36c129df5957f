package pelican.gguf;

import java.util.Optional;

/**
 * The tensor types of ggml, under the numbers that GGUF files use.
 *
 * <p>A row of a tensor is stored as consecutive blocks of {@link #blockSize()} elements, each block
 * taking {@link #blockBytes()} bytes. Knowing a type here says only how large it is, not that the
 * engine can compute with it. The sizes are those of the block structures in ggml's {@code
 * ggml-common.h}; types that ggml has withdrawn are known by name, so that a message can say which.
 */
public enum GgmlType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q4_2(4, 0, 0),
  Q4_3(5, 0, 0),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q8_1(9, 32, 36),
  Q2_K(10, 256, 84),
  Q3_K(11, 256, 110),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  Q8_K(15, 256, 292),
  IQ2_XXS(16, 256, 66),
  IQ2_XS(17, 256, 74),
  IQ3_XXS(18, 256, 98),
  IQ1_S(19, 256, 50),
  IQ4_NL(20, 32, 18),
  IQ3_S(21, 256, 110),
  IQ2_S(22, 256, 82),
  IQ4_XS(23, 256, 136),
  I8(24, 1, 1),
  I16(25, 1, 2),
  I32(26, 1, 4),
  I64(27, 1, 8),
  F64(28, 1, 8),
  IQ1_M(29, 256, 56),
  BF16(30, 1, 2),
  Q4_0_4_4(31, 0, 0),
  Q4_0_4_8(32, 0, 0),
  Q4_0_8_8(33, 0, 0),
  TQ1_0(34, 256, 54),
  TQ2_0(35, 256, 66),
  IQ4_NL_4_4(36, 0, 0),
  IQ4_NL_4_8(37, 0, 0),
  IQ4_NL_8_8(38, 0, 0),
  MXFP4(39, 32, 17),
  NVFP4(40, 64, 36),
  Q1_0(41, 128, 18);

  private static final GgmlType[] BY_ID = values();

  private final int id;
  private final int blockSize;
  private final int blockBytes;

  GgmlType(int id, int blockSize, int blockBytes) {
    this.id = id;
    this.blockSize = blockSize;
    this.blockBytes = blockBytes;
  }

  /** The number that stands for this type in a GGUF file. */
  public int id() {
    return id;
  }

  /** Whether ggml has withdrawn the type, so that no file should have it any more. */
  public boolean withdrawn() {
    return blockSize == 0;
  }

  /** Elements in one block; 0 for a withdrawn type. */
  public int blockSize() {
    return blockSize;
  }

  /** Bytes of one block; 0 for a withdrawn type. */
  public int blockBytes() {
    return blockBytes;
  }

  /**
   * The exact size of a number of elements.
   *
   * @return bytes
   * @throws IllegalArgumentException if the elements are negative or no whole number of blocks, or
   *     the type is withdrawn
   * @throws ArithmeticException if the size does not fit a {@code long}
   */
  public long bytes(long elements) {
    if (withdrawn() || elements < 0 || elements % blockSize != 0) {
      throw new IllegalArgumentException(
          elements + " elements of " + this + ", expected a multiple of " + blockSize);
    }
    return Math.multiplyExact(elements / blockSize, (long) blockBytes);
  }

  /** The type with a number, or empty where there is none. */
  public static Optional<GgmlType> byId(int id) {
    return id < 0 || id >= BY_ID.length ? Optional.empty() : Optional.of(BY_ID[id]);
  }
}
