package pelican.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pelican.gguf.GgufFile;
import pelican.gguf.GgufWriter;
import pelican.gguf.TensorInfo;

/** The examples of the README compile and run, in a module and on the class path. */
@Timeout(300)
class ReadmeTest {
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Pattern CLASS = Pattern.compile("\nclass (\\w+)");

  @TempDir private Path folder;

  private record Result(int code, String out, String err) {}

  private record Example(String name, String source) {}

  private static List<Example> examples() throws IOException {
    String readme = Files.readString(Path.of("../README.md"));
    return BLOCK
        .matcher(readme)
        .results()
        .map(MatchResult::group)
        .map(block -> block.substring("```java\n".length(), block.length() - 3))
        .map(source -> {
          Matcher name = CLASS.matcher(source);
          assertThat(name.find()).isTrue();
          return new Example(name.group(1), source);
        })
        .toList();
  }

  /** The model that answers: the demo, in a file that recommends to take the likeliest token. */
  @BeforeEach
  void writeAModel() throws IOException {
    Path demo = Path.of("../models/src/main/resources/pelican/models/demo/demo-q4_k_m.gguf");
    try (GgufFile file = GgufFile.open(demo)) {
      GgufWriter writer = new GgufWriter();
      file.metadata().keys().forEach(key -> writer.copy(file.metadata(), key));
      writer.put("general.sampling.temp", 0f);
      for (TensorInfo tensor : file.tensors().values()) {
        long[] dims = tensor.dims().stream().mapToLong(Long::longValue).toArray();
        byte[] data = file.data(tensor).toArray(ValueLayout.JAVA_BYTE);
        writer.tensor(tensor.name(), tensor.type(), dims, out -> out.write(data));
      }
      writer.write(folder.resolve("gemma.gguf"));
    }
    assertThat(examples()).extracting(Example::name).containsExactly("Ask", "Stream");
  }

  private Result run(String program, String... args) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", program).toString()));
    command.addAll(List.of(args));
    Path out = folder.resolve("out.txt");
    Path err = folder.resolve("err.txt");
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    return new Result(
        process.exitValue(),
        Files.readString(out, StandardCharsets.ISO_8859_1),
        Files.readString(err, StandardCharsets.ISO_8859_1));
  }

  private void compile(String... args) throws Exception {
    Result result = run("javac", args);
    assertThat(result.code()).as(result.err()).isZero();
  }

  private static void answered(Example example, Result result) {
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out())
        .matches(
            switch (example.name()) {
              case "Ask" -> "A pelican [a-z ]{3,}\\.\\n";
              // Where the scalar kernels take longer than its half minute, the example cancels.
              default -> "Once upon a time a .+\\n(STOP|CANCELLED) after \\d{1,3} tokens\\n";
            });
    assertThat(result.err()).doesNotContain("Exception");
  }

  @Test
  void examplesRunInAModuleWithoutFlags() throws Exception {
    String engine = Path.of("target/classes").toAbsolutePath().toString();
    Files.createDirectories(folder.resolve("app"));
    Files.writeString(
        folder.resolve("module-info.java"), "module app { requires pelican.engine; }");
    List<String> args = new ArrayList<>(List.of("-p", engine, "-d", "classes", "module-info.java"));
    for (Example example : examples()) {
      String file = "app/" + example.name() + ".java";
      Files.writeString(folder.resolve(file), "package app;\n" + example.source());
      args.add(file);
    }
    compile(args.toArray(String[]::new));
    for (Example example : examples()) {
      Result result =
          run(
              "java",
              "-p",
              engine + File.pathSeparator + "classes",
              "-m",
              "app/app." + example.name());
      answered(example, result);
      assertThat(result.err()).doesNotContain("slow kernels");
    }
  }

  @Test
  void examplesRunOnTheClassPath() throws Exception {
    String engine = Path.of("target/classes").toAbsolutePath().toString();
    String path = engine + File.pathSeparator + "classes";
    List<String> args = new ArrayList<>(List.of("-cp", engine, "-d", "classes"));
    for (Example example : examples()) {
      Files.writeString(folder.resolve(example.name() + ".java"), example.source());
      args.add(example.name() + ".java");
    }
    compile(args.toArray(String[]::new));
    for (Example example : examples()) {
      Result fast =
          run("java", "--add-modules", "jdk.incubator.vector", "-cp", path, example.name());
      answered(example, fast);
      assertThat(fast.err()).doesNotContain("slow kernels");
      Result slow = run("java", "-cp", path, example.name());
      answered(example, slow);
      assertThat(slow.err().split("slow kernels: scalar", -1)).hasSize(2);
    }
  }
}
