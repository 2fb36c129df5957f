package pelican.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What stands in for engine.jar: a program that answers as {@code bench} and {@code chat} do. It
 * writes its arguments to a file beside the model, and does what the model's text says.
 */
public final class FakeEngine {
  private FakeEngine() {}

  public static void main(String[] args) throws Exception {
    List<String> list = List.of(args);
    Path model = Path.of(list.get(list.indexOf("--model") + 1));
    Files.writeString(
        model.resolveSibling("calls"),
        "pelican " + String.join(" ", args) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
    String behaviour = Files.readString(model);
    if (behaviour.equals("fails")) {
      System.err.println("first line");
      System.err.println("Error: the model is ill");
      System.exit(3);
    }
    if (behaviour.equals("babbles")) {
      System.out.println("hello");
      return;
    }
    if (behaviour.equals("waits")) {
      waitFor(Files.createFile(model.resolveSibling("waiting")).resolveSibling("looked at"));
    }
    long calls;
    try (var lines = Files.lines(model.resolveSibling("calls"))) {
      calls = lines.filter(line -> line.startsWith("pelican")).count();
    }
    // each call is faster than the one before, and each depth in it half as fast
    double rate = 10 + calls;
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < list.get(list.indexOf("--depth") + 1).split(",").length; i++) {
      rows.add(
          """
          {"tokensPerSecond": {"median": %s}, "tokenSeconds": [[4, 3, 1, 1, 1, 1, 1, 1, 1, 1]]}
          """
              .formatted(rate / (1 << i)));
    }
    System.out.println(rows);
  }

  private static void waitFor(Path file) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
    while (!Files.exists(file)) {
      if (System.nanoTime() > deadline) {
        System.err.println(file + " does not come");
        System.exit(4);
      }
      Thread.sleep(10);
    }
  }
}
