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
 * Products of Q6_K rows in vectors of 512 bits, for tokens in the order of {@link
 * WideTokens.Order#FOURTHS}: then the groups whose upper bits have the same place in a byte are
 * side by side, and those of all eight are in one vector as they stand in memory.
 */
final class WideQ6K {
  private static final int BYTES = 210;

  /** Where the upper bits of weights are. */
  private static final int UPPER = 128;

  private static final int SCALES = 192;
  private static final int D = 208;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I16 = IntVector.SPECIES_512;
  private static final VectorSpecies<Float> F16 = FloatVector.SPECIES_512;
  private static final VectorSpecies<Byte> B16 = ByteVector.SPECIES_128;

  private WideQ6K() {}

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
    IntVector upper = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.UPPER_BITS);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    IntVector firsts = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LOWER_HALVES);
    IntVector seconds = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.UPPER_HALVES);
    VectorShuffle<Float> fourths0 =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FOURTHS_0).toShuffle().cast(F16);
    VectorShuffle<Float> fourths1 =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FOURTHS_1).toShuffle().cast(F16);
    VectorShuffle<Float> fourths2 =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FOURTHS_2).toShuffle().cast(F16);
    VectorShuffle<Float> fourths3 =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FOURTHS_3).toShuffle().cast(F16);
    IntVector base = IntVector.broadcast(I16, 0x20202020);
    IntVector oddBase = IntVector.broadcast(I16, 0x00200020);
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
                  + Memory.ALL.get(Memory.INT, next + 128)
                  + Memory.ALL.get(Memory.INT, next + 192);
          FloatVector scale =
              ((FloatVector)
                      ByteVector.fromMemorySegment(B16, Memory.ALL, at + SCALES, LITTLE)
                          .convertShape(VectorOperators.B2F, F16, 0))
                  .mul(Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + D)));
          FloatVector scaleA = scale.rearrange(fourths0);
          FloatVector scaleB = scale.rearrange(fourths1);
          FloatVector scaleC = scale.rearrange(fourths2);
          FloatVector scaleE = scale.rearrange(fourths3);
          IntVector head = IntVector.fromMemorySegment(I16, Memory.ALL, at, LITTLE);
          IntVector tail = IntVector.fromMemorySegment(I16, Memory.ALL, at + 64, LITTLE);
          IntVector high = IntVector.fromMemorySegment(I16, Memory.ALL, at + UPPER, LITTLE);
          IntVector u = firsts.selectFrom(head, tail);
          IntVector a = u.and(nibbles).or(high.lanewise(VectorOperators.LSHL, 4).and(upper));
          IntVector oddA =
              a.reinterpretAsShorts()
                  .lanewise(VectorOperators.LSHR, eight)
                  .reinterpretAsInts()
                  .sub(oddBase);
          a = a.sub(base);
          IntVector c = u.lanewise(VectorOperators.LSHR, 4).and(nibbles).or(high.and(upper));
          IntVector oddC =
              c.reinterpretAsShorts()
                  .lanewise(VectorOperators.LSHR, eight)
                  .reinterpretAsInts()
                  .sub(oddBase);
          c = c.sub(base);
          u = seconds.selectFrom(head, tail);
          IntVector b = u.and(nibbles).or(high.lanewise(VectorOperators.LSHL, 2).and(upper));
          IntVector oddB =
              b.reinterpretAsShorts()
                  .lanewise(VectorOperators.LSHR, eight)
                  .reinterpretAsInts()
                  .sub(oddBase);
          b = b.sub(base);
          IntVector e =
              u.lanewise(VectorOperators.LSHR, 4)
                  .and(nibbles)
                  .or(high.lanewise(VectorOperators.LSHR, 2).and(upper));
          IntVector oddE =
              e.reinterpretAsShorts()
                  .lanewise(VectorOperators.LSHR, eight)
                  .reinterpretAsInts()
                  .sub(oddBase);
          e = e.sub(base);
          IntVector t =
              a.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p, LITTLE))
                  .add(oddA.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 64, LITTLE)));
          FloatVector v = ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0)).mul(scaleA);
          t =
              b.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 128, LITTLE))
                  .add(oddB.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 192, LITTLE)));
          v = ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0)).fma(scaleB, v);
          t =
              c.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 256, LITTLE))
                  .add(oddC.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 320, LITTLE)));
          v = ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0)).fma(scaleC, v);
          t =
              e.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 384, LITTLE))
                  .add(oddE.mul(IntVector.fromMemorySegment(I16, Memory.ALL, p + 448, LITTLE)));
          ((FloatVector) t.convertShape(VectorOperators.I2F, F16, 0))
              .fma(scaleE, v)
              .fma(
                  FloatVector.broadcast(F16, Memory.ALL.get(Memory.FLOAT, f)),
                  FloatVector.fromMemorySegment(F16, Memory.ALL, s, LITTLE))
              .intoMemorySegment(Memory.ALL, s, LITTLE);
        }
        p = p + WideTokens.PLAIN_BLOCK_BYTES & Memory.ANY;
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
    IntVector upper = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.UPPER_BITS);
    ShortVector eight =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.EIGHT).reinterpretAsShorts();
    IntVector firsts = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.LOWER_HALVES);
    IntVector seconds = IntVector.fromArray(I16, WideConstants.INTS, WideConstants.UPPER_HALVES);
    VectorShuffle<Float> fourths0 =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FOURTHS_0).toShuffle().cast(F16);
    VectorShuffle<Float> fourths1 =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FOURTHS_1).toShuffle().cast(F16);
    VectorShuffle<Float> fourths2 =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FOURTHS_2).toShuffle().cast(F16);
    VectorShuffle<Float> fourths3 =
        IntVector.fromArray(I16, WideConstants.INTS, WideConstants.FOURTHS_3).toShuffle().cast(F16);
    IntVector base = IntVector.broadcast(I16, 0x20202020);
    IntVector oddBase = IntVector.broadcast(I16, 0x00200020);
    for (int row = 0; row < rows; row++) {
      long at = address + distance * row & Memory.ANY;
      long w = to + (long) WideTiles.ROW_BYTES * row & Memory.ANY;
      FloatVector scale =
          ((FloatVector)
                  ByteVector.fromMemorySegment(B16, Memory.ALL, at + SCALES, LITTLE)
                      .convertShape(VectorOperators.B2F, F16, 0))
              .mul(Float.float16ToFloat(Memory.ALL.get(Memory.SHORT, at + D)));
      FloatVector scaleA = scale.rearrange(fourths0);
      FloatVector scaleB = scale.rearrange(fourths1);
      FloatVector scaleC = scale.rearrange(fourths2);
      FloatVector scaleE = scale.rearrange(fourths3);
      IntVector head = IntVector.fromMemorySegment(I16, Memory.ALL, at, LITTLE);
      IntVector tail = IntVector.fromMemorySegment(I16, Memory.ALL, at + 64, LITTLE);
      IntVector high = IntVector.fromMemorySegment(I16, Memory.ALL, at + UPPER, LITTLE);
      IntVector u = firsts.selectFrom(head, tail);
      IntVector a = u.and(nibbles).or(high.lanewise(VectorOperators.LSHL, 4).and(upper));
      IntVector oddA =
          a.reinterpretAsShorts()
              .lanewise(VectorOperators.LSHR, eight)
              .reinterpretAsInts()
              .sub(oddBase);
      a = a.sub(base);
      IntVector c = u.lanewise(VectorOperators.LSHR, 4).and(nibbles).or(high.and(upper));
      IntVector oddC =
          c.reinterpretAsShorts()
              .lanewise(VectorOperators.LSHR, eight)
              .reinterpretAsInts()
              .sub(oddBase);
      c = c.sub(base);
      u = seconds.selectFrom(head, tail);
      IntVector b = u.and(nibbles).or(high.lanewise(VectorOperators.LSHL, 2).and(upper));
      IntVector oddB =
          b.reinterpretAsShorts()
              .lanewise(VectorOperators.LSHR, eight)
              .reinterpretAsInts()
              .sub(oddBase);
      b = b.sub(base);
      IntVector e =
          u.lanewise(VectorOperators.LSHR, 4)
              .and(nibbles)
              .or(high.lanewise(VectorOperators.LSHR, 2).and(upper));
      IntVector oddE =
          e.reinterpretAsShorts()
              .lanewise(VectorOperators.LSHR, eight)
              .reinterpretAsInts()
              .sub(oddBase);
      e = e.sub(base);
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
      scaleC.intoMemorySegment(Memory.ALL, w + WideTiles.SCALES + 128, LITTLE);
      scaleE.intoMemorySegment(Memory.ALL, w + WideTiles.SCALES + 192, LITTLE);
    }
  }
}
