package pelican.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.gguf.GgmlType;

/** The same input gives the same output, to the last bit. */
@Timeout(240)
class SameSumsTest {
  /** A line of the JVM's log where the compiler's last level, 4, has compiled a method. */
  private static final String COMPILED = ".* 4  .*pelican\\.kernel\\.%s .*";

  @TempDir private Path folder;

  static Set<GgmlType> types() {
    return SameSums.TYPES;
  }

  @ParameterizedTest
  @MethodSource("types")
  void aTokensProductDoesNotDependOnTheTokensBesideIt(GgmlType type) {
    SameSums sums = new SameSums();
    try (Arena arena = Arena.ofConfined()) {
      Matrix w = SameSums.matrix(arena, type);
      float[] tokens = SameSums.values(70 * w.columns());
      for (int count : new int[] {2, 3, 4, 5, 9, 70}) {
        float[] together = sums.product(w, tokens, 0, count);
        for (int t = 0; t < count; t++) {
          assertThat(Arrays.copyOfRange(together, t * SameSums.ROWS, (t + 1) * SameSums.ROWS))
              .as("token %d of %d", t, count)
              .isEqualTo(sums.product(w, tokens, t, 1));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void fewTokensGiveTheSameAsBatch(GgmlType type) {
    SameSums sums = new SameSums();
    try (Arena arena = Arena.ofConfined()) {
      Matrix w = SameSums.matrix(arena, type);
      float[] tokens = SameSums.values(2 * w.columns());
      for (int count = 1; count <= 2; count++) {
        assertThat(sums.productAsBatch(w, tokens, 0, count))
            .as("%d tokens", count)
            .isEqualTo(sums.product(w, tokens, 0, count));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRowsScoresDoNotDependOnTheRowsBesideIt(boolean half) {
    SameSums sums = new SameSums();
    float[] queries = SameSums.values(7 * SameSums.SIZE);
    float[] together = sums.scores(queries, 0, 7, half);
    for (int r = 0; r < 7; r++) {
      int from = r * SameSums.POSITIONS;
      assertThat(Arrays.copyOfRange(together, from, from + SameSums.POSITIONS))
          .as("row %d", r)
          .isEqualTo(sums.scores(queries, r, 1, half));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:UseAVX=2",
        "-XX:UseAVX=3",
        "-XX:MaxVectorSize=16",
        "-Dpelican.streams=4",
        "-Dpelican.integer.bits=256",
        "-Dpelican.integer.bits=512",
      })
  void compiledSumsAreThoseOfTheInterpreter(String flag) throws Exception {
    Path interpreted = folder.resolve("interpreted.txt");
    Path compiled = folder.resolve("compiled.txt");
    run(interpreted, 1, flag, "-Xint");
    String log =
        run(
            compiled,
            60,
            flag,
            "-Xbatch",
            "-XX:CompileThresholdScaling=0.05",
            "-XX:CompileCommand=PrintCompilation,pelican.kernel.*::*");
    assertThat(log.lines())
        .anyMatch(line -> line.matches(COMPILED.formatted("VectorTiles::tile\\dx4")))
        .anyMatch(line -> line.matches(COMPILED.formatted("VectorTiles::tile4x1")))
        .anyMatch(line -> line.matches(COMPILED.formatted("FloatDots::f32")))
        .anyMatch(line -> line.matches(COMPILED.formatted("FloatDots::f16")))
        .anyMatch(line -> line.matches(COMPILED.formatted("FloatDots::bf16")))
        .anyMatch(line -> line.matches(COMPILED.formatted("VectorFloats::sumOfSquares")))
        .anyMatch(line -> line.matches(COMPILED.formatted("VectorExp::expAndSum")))
        .anyMatch(line -> line.matches(COMPILED.formatted("VectorAttention::scores4")))
        .anyMatch(line -> line.matches(COMPILED.formatted("VectorAttention::score")));
    assertThat(compiled).hasSameTextualContentAs(interpreted);
  }

  @Test
  void lanesAreAddedByHalves() {
    int lanes = VectorFloats.L;
    float[] values = SameSums.values(lanes);
    long at = Scratch.ofThread().sums();
    for (int i = 0; i < lanes; i++) {
      Memory.ALL.set(Memory.FLOAT, at + 4L * i, values[i]);
    }
    for (int half = lanes / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        values[i] += values[i + half];
      }
    }
    assertThat(VectorFloats.sumOfLanes(at)).isEqualTo(values[0]);
  }

  /** Runs {@link SameSums} in a JVM with some flags; returns what the JVM printed. */
  private String run(Path digests, int repetitions, String... flags) throws Exception {
    List<String> all = new ArrayList<>(List.of("--add-modules", "jdk.incubator.vector"));
    all.addAll(List.of(flags));
    List<String> arguments = List.of(digests.toString(), Integer.toString(repetitions));
    String output = ChildJvm.run(folder, SameSums.class, arguments, all.toArray(String[]::new));
    assertThat(Files.readString(digests)).startsWith("vector (");
    return output;
  }
}
