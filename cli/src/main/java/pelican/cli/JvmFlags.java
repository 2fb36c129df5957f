package pelican.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * The JVM's flags that measure best, for the process that {@link Relauncher} starts.
 *
 * <p>The serial collector starts fastest, and the engine makes no garbage. What the requests of a
 * few dozen clients hold fits its survivor spaces, so that it does not fill the old generation;
 * memory that the compilers needed for a moment is given back.
 *
 * <p>No speculation on types: the check of a vector's class that it leaves in a loop keeps that
 * vector an object. Whether the compiler found reason to speculate differed from start to start,
 * and a kernel with it takes four times as long for good.
 *
 * <p>The first prompt waits for the second compiler. Kernels are compiled after a hundredth of the
 * calls that others need: before, each vector of theirs is an object. Who calls them waits for the
 * compiler, since what he would do meanwhile takes the processor from it and is a thousand times
 * slower. What makes these objects is compiled after twenty times as many calls, since nobody calls
 * it any more once the kernels are. Each kernel is compiled once, not again within each of its
 * callers, and hardly ever a second time for the loop that it is in just then: the next call has
 * the compiled method.
 */
final class JvmFlags {
  private static final List<String> FLAGS =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "-XX:+UseSerialGC",
          "-XX:SurvivorRatio=4",
          "-XX:TargetSurvivorRatio=90",
          "-XX:TrimNativeHeapInterval=10000",
          "-XX:-UsePerfData",
          "-XX:-UseTypeSpeculation",
          "-XX:Tier4BackEdgeThreshold=400000",
          "-XX:CompileCommand=quiet",
          "-XX:CompileCommand=CompileThresholdScaling,pelican/kernel/*.*,0.01",
          "-XX:CompileCommand=CompileThresholdScaling,jdk/incubator/vector/*.*,20.0",
          "-XX:CompileCommand=CompileThresholdScaling,jdk/internal/vm/vector/*.*,20.0",
          "-Dstdout.encoding=UTF-8",
          "-Dstderr.encoding=UTF-8");

  /**
   * Methods of the package {@code pelican.kernel} that do enough work for a call to cost nothing.
   * None of those that take or return vectors, which a call would make objects.
   */
  static final List<String> NOT_INLINED =
      List.of(
          "Activations::quantize",
          "ByteTiles::multiply",
          "FloatDots::bf16",
          "FloatDots::f16",
          "FloatDots::f32",
          "FloatDots::multiply",
          "FloatDots::q8",
          "IntegerRows::q4",
          "IntegerRows::q4K",
          "IntegerRows::q5K",
          "IntegerRows::q6K",
          "IntegerRows::unpack",
          "IntegerTiles::fetch",
          "IntegerTiles::multiply",
          "IntegerTiles::store",
          "IntegerTiles::tiles",
          "IntegerTiles::unpack",
          "MatMul::multiply",
          "Q40Dot::dot",
          "Q4KDot::dot",
          "Q5KDot::dot",
          "Q6KDot::dot",
          "QuantizedTokens::quantize",
          "QuantizedTokens::round",
          "RowDots::multiply",
          "SuperBlockScales::bytes",
          "SuperBlockScales::ofBlocks",
          "SuperBlockScales::sixBits",
          "VectorAttention::score",
          "VectorAttention::scores4",
          "VectorAttention::scores8",
          "VectorAttention::weightedSum1",
          "VectorAttention::weightedSum4",
          "VectorAttention::weightedSum8",
          "VectorAttention::widen",
          "VectorExp::expAndSum",
          "VectorExp::geluMultiply",
          "VectorExp::softcap",
          "VectorFloats::max",
          "VectorFloats::rotate",
          "VectorFloats::scale",
          "VectorFloats::sumOfSquares",
          "VectorKernels::multiply",
          "VectorKernels::prepare",
          "VectorKernels::scores",
          "VectorKernels::weightedSum",
          "VectorRowDecoder::decode",
          "VectorTiles::multiply",
          "WideProducts::batch",
          "WideProducts::fetch",
          "WideProducts::single",
          "WideQ40::dot",
          "WideQ40::unpack",
          "WideQ4K::dot",
          "WideQ4K::unpack",
          "WideQ5K::dot",
          "WideQ5K::unpack",
          "WideQ6K::dot",
          "WideQ6K::unpack",
          "WideSums::clear",
          "WideSums::store",
          "WideTiles::fiveBits",
          "WideTiles::nibbles",
          "WideTiles::sixBits",
          "WideTokens::quantize",
          "Workers::run");

  /** Classes of that package whose methods spend their time in vectors. */
  static final List<String> WAITED_FOR =
      List.of(
          "BlockByteRows",
          "ByteRows",
          "ByteTiles",
          "FloatDots",
          "IntegerRows",
          "IntegerTileKernels",
          "Q40Dot",
          "Q4KDot",
          "Q5KDot",
          "Q6KDot",
          "SuperBlockScales",
          "VectorAttention",
          "VectorExp",
          "VectorFloats",
          "VectorTiles",
          "WideQ40",
          "WideQ4K",
          "WideQ5K",
          "WideQ6K",
          "WideSums",
          "WideTiles",
          "WideTokens");

  /** Where there are as many, the JVM has two threads of the second compiler or more by itself. */
  private static final int MANY_PROCESSORS = 4;

  private static final String TWO_OF_THE_SECOND_COMPILER = "-XX:CICompilerCount=3";

  private JvmFlags() {}

  static List<String> measuredBest(int processors) {
    List<String> flags = new ArrayList<>(FLAGS);
    for (String method : NOT_INLINED) {
      flags.add("-XX:CompileCommand=dontinline,pelican.kernel." + method);
    }
    for (String name : WAITED_FOR) {
      flags.add("-XX:CompileCommand=BackgroundCompilation,pelican/kernel/" + name + ".*,false");
    }
    if (processors < MANY_PROCESSORS) {
      flags.add(TWO_OF_THE_SECOND_COMPILER);
    }
    return flags;
  }
}
