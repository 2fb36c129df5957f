package pelican.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of Q4_0 rows in vectors of 512 bits, eight blocks at a time, as {@link WideQ4K}. A
 * block's 16 bytes have its first 16 weights in their lower nibbles and the others in the upper
 * ones, so that {@link WideTokens.Order#HALVES} suits them too. The eight that is taken off each
 * weight makes minimums of eight times the scale.
 */
final class WideQ40 {
  private static final int BYTES = 8 * 18;
  private static final int BLOCK_BYTES = 18;

  /** Where 128 bytes begin that have the weights of all odd blocks, and end the eight blocks. */
  private static final int ODD = BYTES - 128;

  /** The sign of a half, and the rest three bits on, where a float has them. */
  private static final int HALF_BITS = 0x8fffe000;

  /** Which of 128 bytes have the weights of even blocks, of odd ones, and the scales. */
  private static final byte[] EVENS = new byte[64];

  private static final byte[] ODDS = new byte[64];
  private static final byte[] HALVES = new byte[64];

  static {
    for (int i = 0; i < 64; i++) {
      int even = 2 * BLOCK_BYTES * (i >> 4) + 2 + (i & 15);
      EVENS[i] = (byte) even;
      ODDS[i] = (byte) (even + BLOCK_BYTES - ODD);
    }
    for (int i = 0; i < 16; i++) {
      int at = BLOCK_BYTES * (i & 7);
      HALVES[4 * i + 2] = (byte) at;
      HALVES[4 * i + 3] = (byte) (at + 1);
    }
  }

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;
  private static final VectorSpecies<Byte> B64 = ByteVector.SPECIES_512;

  private WideQ40() {}

  /**
   * Products of sets of rows with one token: see {@link WideQ4K#dot}.
   *
   * @param address the address of the sets' first rows, one after the other
   * @param distance how many bytes after each row the next one of its set is
   * @param x the address of the token's blocks
   * @param factors the address of its factors
   * @param sums the address of a sum for each row of each set; what is there is added to
   * @return what was read {@link WideProducts#AHEAD ahead}, added up
   */
  static int dot(
      long address, long distance, int sets, int blocks, long x, long factors, long sums) {
    IntVector nibbles = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLES);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    ShortVector twelve =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.TWELVE).reinterpretAsShorts();
    ByteVector evens = ByteVector.fromArray(B64, EVENS, 0);
    ByteVector odds = ByteVector.fromArray(B64, ODDS, 0);
    ByteVector halves = ByteVector.fromArray(B64, HALVES, 0);
    VectorShuffle<Float> evenGroups =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EVEN_GROUPS)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> oddGroups =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.ODD_GROUPS)
            .toShuffle()
            .cast(F16);
    int rowBytes = BYTES * blocks;
    long last = address + distance * (WideProducts.STREAMS - 1) + (long) rowBytes * sets - BYTES;
    int ahead = 0;
    long setSums = sums & Memory.ANY;
    for (int set = 0; set < sets; set++) {
      long first = address + (long) rowBytes * set & Memory.ANY;
      long p = x & Memory.ANY;
      long f = factors & Memory.ANY;
      for (int o = 0; o < rowBytes; o += BYTES) {
        for (int row = 0; row < WideProducts.STREAMS; row++) {
          int m = row & 3; // see Q4KDot
          long at = first + distance * m + o & Memory.ANY;
          long s = setSums + WideSums.BYTES * m;
          long next = Math.min(at + WideProducts.AHEAD, last) & Memory.ANY;
          ahead +=
              Memory.ALL.get(Memory.INT, next)
                  + Memory.ALL.get(Memory.INT, next + 64)
                  + Memory.ALL.get(Memory.INT, next + 128);
          FloatVector scale =
              halves
                  .selectFrom(
                      ByteVector.fromMemorySegment(B64, Memory.ALL, at, LITTLE),
                      ByteVector.fromMemorySegment(B64, Memory.ALL, at + 64, LITTLE))
                  .reinterpretAsInts()
                  .lanewise(VectorOperators.ASHR, 3)
                  .and(HALF_BITS)
                  .reinterpretAsFloats()
                  .mul(Memory.WIDEN_A)
                  .mul(Memory.WIDEN_B)
                  .mul(Memory.WIDEN_C);
          FloatVector minimums = scale.mul(8);
          FloatVector scaleA = scale.rearrange(evenGroups);
          FloatVector scaleB = scale.rearrange(oddGroups);
          IntVector u =
              evens
                  .selectFrom(
                      ByteVector.fromMemorySegment(B64, Memory.ALL, at, LITTLE),
                      ByteVector.fromMemorySegment(B64, Memory.ALL, at + 64, LITTLE))
                  .reinterpretAsInts();
          IntVector a = u.and(nibbles);
          IntVector oddA =
              a.reinterpretAsShorts().lanewise(VectorOperators.LSHR, eight).reinterpretAsInts();
          IntVector c = u.lanewise(VectorOperators.LSHR, 4).and(nibbles);
          IntVector oddC =
              u.reinterpretAsShorts().lanewise(VectorOperators.LSHR, twelve).reinterpretAsInts();
          u =
              odds.selectFrom(
                      ByteVector.fromMemorySegment(B64, Memory.ALL, at + ODD, LITTLE),
                      ByteVector.fromMemorySegment(B64, Memory.ALL, at + ODD + 64, LITTLE))
                  .reinterpretAsInts();
          IntVector b = u.and(nibbles);
          IntVector oddB =
              b.reinterpretAsShorts().lanewise(VectorOperators.LSHR, eight).reinterpretAsInts();
          IntVector e = u.lanewise(VectorOperators.LSHR, 4).and(nibbles);
          IntVector oddE =
              u.reinterpretAsShorts().lanewise(VectorOperators.LSHR, twelve).reinterpretAsInts();
          IntVector t =
              a.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p, LITTLE))
                  .add(oddA.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 64, LITTLE)))
                  .add(
                      c.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 256, LITTLE))
                          .add(
                              oddC.mul(
                                  IntVector.fromMemorySegment(I16, Memory.ALL, p + 320, LITTLE))));
          FloatVector v =
              minimums.mul(
                  FloatVector.fromMemorySegment(F16, Memory.ALL, p + WideTokens.SUMS, LITTLE));
          v = ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0)).fma(scaleA, v);
          t =
              b.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 128, LITTLE))
                  .add(oddB.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 192, LITTLE)))
                  .add(
                      e.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 384, LITTLE))
                          .add(
                              oddE.mul(
                                  IntVector.fromMemorySegment(I16, Memory.ALL, p + 448, LITTLE))));
          ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0))
              .fma(scaleB, v)
              .fma(
                  FloatVector.broadcast(F16, Memory.ALL.get(Memory.FLOAT, f)),
                  FloatVector.fromMemorySegment(F16, Memory.ALL, s, LITTLE))
              .intoMemorySegment(Memory.ALL, s, LITTLE);
        }
        p = p + WideTokens.BLOCK_BYTES & Memory.ANY;
        f = f + Float.BYTES & Memory.ANY;
      }
      setSums = setSums + WideSums.BYTES * WideProducts.STREAMS & Memory.ANY;
    }
    return ahead;
  }

  /**
   * Unpacks a super-block of each of consecutive rows for {@link WideTiles}.
   *
   * @param address the address of the first
   * @param distance how many bytes after each the next one is
   * @param to the address of {@link WideTiles#ROW_BYTES} for each
   */
  static void unpack(long address, long distance, int rows, long to) {
    IntVector nibbles = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.NIBBLES);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    ShortVector twelve =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.TWELVE).reinterpretAsShorts();
    ByteVector evens = ByteVector.fromArray(B64, EVENS, 0);
    ByteVector odds = ByteVector.fromArray(B64, ODDS, 0);
    ByteVector halves = ByteVector.fromArray(B64, HALVES, 0);
    VectorShuffle<Float> evenGroups =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EVEN_GROUPS)
            .toShuffle()
            .cast(F16);
    VectorShuffle<Float> oddGroups =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.ODD_GROUPS)
            .toShuffle()
            .cast(F16);
    Memory.mayFault(address);
    for (int row = 0; row < rows; row++) {
      long at = address + distance * row & Memory.ANY;
      long w = to + (long) WideTiles.ROW_BYTES * row & Memory.ANY;
      FloatVector scale =
          halves
              .selectFrom(
                  ByteVector.fromMemorySegment(B64, Memory.ALL, at, LITTLE),
                  ByteVector.fromMemorySegment(B64, Memory.ALL, at + 64, LITTLE))
              .reinterpretAsInts()
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(Memory.WIDEN_A)
              .mul(Memory.WIDEN_B)
              .mul(Memory.WIDEN_C);
      FloatVector minimums = scale.mul(8);
      FloatVector scaleA = scale.rearrange(evenGroups);
      FloatVector scaleB = scale.rearrange(oddGroups);
      IntVector u =
          evens
              .selectFrom(
                  ByteVector.fromMemorySegment(B64, Memory.ALL, at, LITTLE),
                  ByteVector.fromMemorySegment(B64, Memory.ALL, at + 64, LITTLE))
              .reinterpretAsInts();
      IntVector a = u.and(nibbles);
      IntVector oddA =
          a.reinterpretAsShorts().lanewise(VectorOperators.LSHR, eight).reinterpretAsInts();
      IntVector c = u.lanewise(VectorOperators.LSHR, 4).and(nibbles);
      IntVector oddC =
          u.reinterpretAsShorts().lanewise(VectorOperators.LSHR, twelve).reinterpretAsInts();
      u =
          odds.selectFrom(
                  ByteVector.fromMemorySegment(B64, Memory.ALL, at + ODD, LITTLE),
                  ByteVector.fromMemorySegment(B64, Memory.ALL, at + ODD + 64, LITTLE))
              .reinterpretAsInts();
      IntVector b = u.and(nibbles);
      IntVector oddB =
          b.reinterpretAsShorts().lanewise(VectorOperators.LSHR, eight).reinterpretAsInts();
      IntVector e = u.lanewise(VectorOperators.LSHR, 4).and(nibbles);
      IntVector oddE =
          u.reinterpretAsShorts().lanewise(VectorOperators.LSHR, twelve).reinterpretAsInts();
      a.intoMemorySegment(Memory.ALL, w, LITTLE);
      oddA.intoMemorySegment(Memory.ALL, w + 64, LITTLE);
      b.intoMemorySegment(Memory.ALL, w + 128, LITTLE);
      oddB.intoMemorySegment(Memory.ALL, w + 192, LITTLE);
      c.intoMemorySegment(Memory.ALL, w + 256, LITTLE);
      oddC.intoMemorySegment(Memory.ALL, w + 320, LITTLE);
      e.intoMemorySegment(Memory.ALL, w + 384, LITTLE);
      oddE.intoMemorySegment(Memory.ALL, w + 448, LITTLE);
      scaleA.intoMemorySegment(Memory.ALL, w + WideTiles.SCALES, LITTLE);
      scaleB.intoMemorySegment(Memory.ALL, w + WideTiles.SCALES + 64, LITTLE);
      minimums.intoMemorySegment(Memory.ALL, w + WideTiles.MINIMUMS, LITTLE);
    }
  }
}
