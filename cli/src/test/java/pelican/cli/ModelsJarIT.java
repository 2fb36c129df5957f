package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

/** Models by name through the jar: the demo model, and a store laid out as Ollama does. */
@Timeout(300)
class ModelsJarIT {
  private static final Path TINY = Path.of("../engine/src/test/resources/golden/tiny-Q4_K_M.gguf");

  @TempDir private Path store;

  private record Result(int code, String out, String err) {}

  private Result run(String... args) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                "target/engine.jar"));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LC_ALL", "C");
    builder.environment().put("OLLAMA_MODELS", store.toString());
    Process process = builder.start();
    process.getOutputStream().close();
    CompletableFuture<String> err =
        CompletableFuture.supplyAsync(() -> text(process.getErrorStream()));
    String out = text(process.getInputStream());
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    return new Result(process.exitValue(), out, err.join());
  }

  private String succeed(String... args) throws Exception {
    Result result = run(args);
    assertThat(result.code()).as(result.err()).isZero();
    return result.out();
  }

  private static String text(InputStream in) {
    try {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"demo:q4", "demo:q6"})
  void theDemoModelAddsAndDraws(String model) throws Exception {
    assertThat(succeed("chat", "--model", model, "--temperature", "0", "What is 7 plus 5?"))
        .contains("7 plus 5 is 12.");
    String drawing = succeed("chat", "--model", model, "--temperature", "0", "Draw a red circle.");
    String svg =
        drawing.substring(drawing.indexOf("<svg"), drawing.indexOf("</svg>") + "</svg>".length());
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    Document document = factory.newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    Element root = document.getDocumentElement();
    assertThat(root.getNamespaceURI()).isEqualTo("http://www.w3.org/2000/svg");
    Element circle = (Element) root.getElementsByTagName("circle").item(0);
    assertThat(circle.getAttribute("fill")).isEqualTo("red");
    assertThat(Double.parseDouble(circle.getAttribute("r"))).isPositive();
  }

  private String blob(byte[] content) throws Exception {
    String hex = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    Path blobs = Files.createDirectories(store.resolve("blobs"));
    Files.write(blobs.resolve("sha256-" + hex), content);
    return "\"digest\":\"sha256:%s\",\"size\":%d".formatted(hex, content.length);
  }

  private String layer(String kind, String content) throws Exception {
    return ",{\"mediaType\":\"application/vnd.ollama.image.%s\",%s}"
        .formatted(kind, blob(content.getBytes(StandardCharsets.UTF_8)));
  }

  private void layOut() throws Exception {
    String config =
        "{\"model_format\":\"gguf\",\"model_family\":\"gemma4\",\"model_families\":[\"gemma4\"],"
            + "\"model_type\":\"1M\",\"file_type\":\"Q4_K_M\",\"architecture\":\"amd64\","
            + "\"os\":\"linux\",\"renderer\":\"gemma4\",\"parser\":\"gemma4\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
    String manifest =
        "{\"schemaVersion\":2,"
            + "\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\","
            + "\"config\":{\"mediaType\":\"application/vnd.docker.container.image.v1+json\","
            + blob(config.getBytes(StandardCharsets.UTF_8))
            + "},\"layers\":[{\"mediaType\":\"application/vnd.ollama.image.model\","
            + blob(Files.readAllBytes(TINY))
            + "}"
            + layer("template", "{{ .Prompt }}")
            + layer("system", "You are tiny.")
            + layer("license", "Do as you like.")
            + layer("messages", "[{\"role\":\"user\",\"content\":\"Hello\"}]")
            + layer("params", "{\"num_predict\":8,\"temperature\":1,\"top_k\":40}")
            + "]}";
    Path folder =
        Files.createDirectories(store.resolve("manifests/registry.ollama.ai/batiai/gemma4-e2b"));
    Files.writeString(folder.resolve("q4"), manifest);
  }

  @Test
  void worksOnAStoreThatOllamaLaidOut() throws Exception {
    layOut();
    Path manifest = store.resolve("manifests/registry.ollama.ai/batiai/gemma4-e2b/q4");
    byte[] before = Files.readAllBytes(manifest);
    assertThat(succeed("list")).startsWith("NAME").contains("batiai/gemma4-e2b:q4");
    assertThat(succeed("show", "q4")).contains("Q4_K_M");
    assertThat(succeed("show", "q4", "--system")).contains("You are tiny.");
    assertThat(succeed("show", "q4", "--template")).contains("{{ .Prompt }}");
    assertThat(succeed("show", "q4", "--license")).contains("Do as you like.");
    assertThat(succeed("show", "q4", "--parameters")).contains("top_k", "40", "num_predict");
    assertThat(succeed("show", "q4", "--modelfile"))
        .contains("FROM ", "SYSTEM", "You are tiny.", "PARAMETER top_k 40")
        .contains("RENDERER gemma4", "PARSER gemma4", "MESSAGE user \"\"\"Hello\"\"\"");
    assertThat(succeed("chat", "--model", "q4", "--seed", "1", "the")).isNotBlank();
    assertThat(succeed("cp", "q4", "mine")).contains("copied 'q4' to 'mine'");
    assertThat(store.resolve("manifests/registry.ollama.ai/library/mine/latest"))
        .hasBinaryContent(before);
    assertThat(succeed("rm", "q4")).contains("deleted 'q4'");
    assertThat(manifest).doesNotExist();
    assertThat(succeed("show", "mine", "--system")).contains("You are tiny.");
    Path recipe = store.resolve("Modelfile");
    Files.writeString(recipe, "FROM mine\nSYSTEM You are other.\n");
    assertThat(succeed("create", "other", "-f", recipe.toString())).contains("created 'other");
    assertThat(succeed("show", "other", "--system")).contains("You are other.");
    assertThat(succeed("cp", "demo", "carried")).contains("copied 'demo' to 'carried'");
    assertThat(succeed("list")).contains("carried:latest");
    assertThat(succeed("rm", "mine", "other", "carried")).contains("deleted");
    assertThat(store.resolve("blobs")).isEmptyDirectory();
    Result missing = run("show", "mine");
    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.err()).contains("not found").doesNotContain("\tat ");
    Result noFile = run("create", "other", "-f", store.resolve("none.gguf").toString());
    assertThat(noFile.code()).isEqualTo(1);
    assertThat(noFile.err()).contains("none.gguf: no such file").doesNotContain("\tat ");
  }
}
