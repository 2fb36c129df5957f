package pelican.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pelican.engine.PelicanException;

/** Vector kernels agree with the scalar ones, whatever vectors the machine has. */
class KernelAgreementTest {
  @Test
  void vectorKernelsAgreeHere() {
    assertThat(KernelAgreement.differences(new VectorKernels())).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:UseAVX=0",
        "-XX:UseAVX=1",
        "-XX:UseAVX=2",
        "-XX:UseAVX=3",
        "-XX:MaxVectorSize=16",
      })
  void vectorKernelsAgreeAtEveryWidth(String flag) throws Exception {
    String output = run("--add-modules", "jdk.incubator.vector", flag, "-Dpelican.kernels=vector");
    assertThat(output).contains("vector (");
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
    assertThatThrownBy(() -> KernelChoice.choose("fast"))
        .isInstanceOf(PelicanException.class)
        .hasMessage("pelican.kernels is \"fast\", expected auto, vector or scalar");
    assertThat(KernelChoice.choose("scalar").description())
        .isEqualTo("scalar (pelican.kernels asks for it)");
  }

  private static String run(String... flags) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:+IgnoreUnrecognizedVMOptions");
    command.addAll(List.of(flags));
    command.add("-cp");
    command.add(
        String.join(
            File.pathSeparator,
            Stream.of("target/classes", "target/test-classes")
                .map(Path::of)
                .map(path -> path.toAbsolutePath().toString())
                .toList()));
    command.add("pelican.kernel.KernelAgreement");
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
