package pelican.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A thread's working memory outside the heap, where it can begin at a multiple of a cache line. An
 * array's values begin 16 bytes after a multiple of 8, so that every other vector of 32 bytes
 * crosses a line and is read twice.
 */
final class Scratch {
  private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

  private static final long SCALES_BYTES = Math.max(RowDots.SCRATCH_BYTES, VectorRowDecoder.BYTES);

  private final MemorySegment memory =
      Arena.ofAuto()
          .allocate(
              SCALES_BYTES
                  + VectorTiles.SUMS_BYTES
                  + Math.max(
                      Math.max(
                          Math.max(
                              ByteTiles.SCRATCH_BYTES,
                              Math.max(RowDots.SUMS_BYTES, FloatDots.SUMS_BYTES)),
                          Math.max(IntegerTiles.SCRATCH_BYTES, WideProducts.SCRATCH_BYTES)),
                      VectorTiles.BLOCK_ROWS * VectorTiles.ROW_BYTES),
              64);

  static Scratch ofThread() {
    return OF_THREAD.get();
  }

  /** Room for what {@link RowDots} and {@link VectorRowDecoder} need beside blocks. */
  long scales() {
    return memory.address();
  }

  /** Room for the vectors of sums of a tile, {@link VectorTiles#SUMS_BYTES}. */
  long sums() {
    return memory.address() + SCALES_BYTES;
  }

  /** Room for a block of weights, see {@link VectorTiles} and {@link ByteTiles}. */
  long block() {
    return memory.address() + SCALES_BYTES + VectorTiles.SUMS_BYTES;
  }
}
