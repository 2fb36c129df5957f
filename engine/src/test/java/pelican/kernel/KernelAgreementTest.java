package pelican.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.engine.PelicanException;

/** Vector kernels agree with the scalar ones, whatever vectors the machine has. */
@Timeout(240)
class KernelAgreementTest {
  @TempDir private Path folder;

  @Test
  void vectorKernelsAgreeHere() {
    assertThat(KernelAgreement.differences(new VectorKernels(false))).isEmpty();
  }

  /** Where the machine has no vectors of this size, the library stands in for them. */
  @ParameterizedTest
  @ValueSource(ints = {256, 512})
  void kernelsOfEverySizeAgreeEverywhere(int bits) {
    assertThat(KernelAgreement.differences(new VectorKernels(bits, false))).isEmpty();
    assertThat(KernelAgreement.differences(new VectorKernels(bits, true))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:UseAVX=0",
        "-XX:UseAVX=1",
        "-XX:UseAVX=2",
        "-XX:UseAVX=3",
        "-XX:MaxVectorSize=16",
        "-Dpelican.streams=2",
        "-Dpelican.streams=4",
        "-Dpelican.integer.bits=256",
        "-Dpelican.integer.bits=512",
      })
  void vectorKernelsAgreeAtEveryWidth(String flag) throws Exception {
    String output = run("--add-modules", "jdk.incubator.vector", flag, "-Dpelican.kernels=vector");
    assertThat(output).contains("vector (");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:UseAVX=2",
        "-XX:UseAVX=3",
        "-XX:MaxVectorSize=16",
        "-Dpelican.streams=2",
        "-Dpelican.streams=4",
        "-Dpelican.integer.bits=256",
        "-Dpelican.integer.bits=512",
      })
  void everyKernelStopsWhereItsFileWasShortened(String flag) throws Exception {
    assumeTrue(System.getProperty("os.name").equals("Linux"));
    String file = folder.resolve("matrix").toString();
    String output =
        ChildJvm.run(
            folder,
            ShortenedMatrix.class,
            List.of(file),
            "--add-modules",
            "jdk.incubator.vector",
            "-Xbatch",
            "-XX:CompileThresholdScaling=0.05",
            "-XX:+PrintCompilation",
            flag);
    assertThat(output).contains("products stopped");
    // a method that the first compiler gives up may stay in the interpreter
    assertThat(output.lines().filter(line -> line.contains("pelican.kernel")).toList())
        .isNotEmpty()
        .noneMatch(line -> line.contains("COMPILE SKIPPED"));
  }

  @Test
  void withoutTheVectorModuleTheScalarKernelsRunAndSayWhy() throws Exception {
    assertThat(run()).contains("scalar (the JVM runs without --add-modules jdk.incubator.vector)");
  }

  @Test
  void vectorsThatAreTooNarrowAreNotUsed() throws Exception {
    assertThat(run("--add-modules", "jdk.incubator.vector", "-XX:MaxVectorSize=8"))
        .contains("scalar (the JVM's vectors have 64 bits");
  }

  @Test
  void theChoiceCanBeOverruled() {
    assertThatThrownBy(() -> KernelChoice.choose("fast", false))
        .isInstanceOf(PelicanException.class)
        .hasMessage("pelican.kernels is \"fast\", expected auto, vector or scalar");
    assertThat(KernelChoice.choose("scalar", false).description())
        .isEqualTo("scalar (pelican.kernels asks for it)");
  }

  private String run(String... flags) throws IOException, InterruptedException {
    return ChildJvm.run(folder, KernelAgreement.class, List.of(), flags);
  }
}
