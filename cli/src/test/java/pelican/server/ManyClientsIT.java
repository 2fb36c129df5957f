package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Many clients of the jar at once: none gets a wrong answer or another's, those for whom there is
 * no place are told so, some go away, and memory stays what it is. {@code
 * -Dpelican.soak.seconds=300} lets them go on for five minutes.
 */
@Timeout(900)
@EnabledOnOs(OS.LINUX)
class ManyClientsIT {
  private static final int SECONDS = Integer.getInteger("pelican.soak.seconds", 10);
  private static final int CLIENTS = 64;

  /** Fewer than the clients that have no turn, so that some are refused. */
  private static final int MAX_QUEUE = 48;

  /** How long clients keep connections that are not used; the server keeps them for longer. */
  private static final int KEPT_SECONDS = 30;

  private static final String BUSY =
      "server busy, please try again.  maximum pending requests exceeded";

  private static final List<String> PROMPTS =
      List.of(
          "What is a pelican?",
          "What is 22 plus 15?",
          "What is 41 minus 17?",
          "What is 7 plus 5?",
          "What is 30 plus 38?",
          "What is 93 minus 21?",
          "What is the capital of France?",
          "What is the capital of Japan?",
          "Who are you?",
          "Draw a red circle.",
          "Draw a blue square.",
          "Draw a green triangle.",
          "Hello!",
          "Tell me a short story.",
          "How many legs does a spider have?",
          "What color is the sky?");

  /** Looks at live objects, of which each finds by a twentieth more or less: medians count. */
  private static final int HEAPS_A_MINUTE = 5;

  @TempDir private Path folder;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private final Map<String, String> alone = new ConcurrentHashMap<>();
  private final AtomicInteger answers = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final Queue<IOException> broken = new ConcurrentLinkedQueue<>();
  private final AtomicInteger left = new AtomicInteger();

  /** What was seen of the server's process at a moment, memory in bytes. */
  private record Sample(double second, long resident, int threads, int descriptors) {}

  private HttpRequest post(ServedJar server, String path, Object body) {
    return HttpRequest.newBuilder(URI.create(server.url() + path))
        .timeout(Duration.ofSeconds(300))
        .POST(HttpRequest.BodyPublishers.ofString(JsonMapper.shared().writeValueAsString(body)))
        .build();
  }

  private static Map<String, String> message(String role, String content) {
    return Map.of("role", role, "content", content);
  }

  private static Map<String, Object> chat(
      String model, boolean stream, List<Map<String, String>> messages) {
    return Map.of(
        "model",
        model,
        "stream",
        stream,
        "options",
        Map.of("temperature", 0, "num_predict", 48),
        "messages",
        messages);
  }

  /** The answer by Ollama's interface, or null if there was no place. */
  private String ollama(
      ServedJar server, String model, boolean stream, List<Map<String, String>> messages)
      throws Exception {
    HttpResponse<String> response =
        client.send(
            post(server, "/api/chat", chat(model, stream, messages)),
            HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() == 503) {
      assertThat(response.body()).isEqualTo("{\"error\":\"" + BUSY + "\"}");
      return null;
    }
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    StringBuilder text = new StringBuilder();
    JsonNode last = null;
    for (String line : response.body().lines().toList()) {
      last = JsonMapper.shared().readTree(line);
      assertThat(last.path("model").asString("")).as(line).isEqualTo(model);
      text.append(last.path("message").path("content").asString("!" + line));
    }
    assertThat(last).isNotNull();
    assertThat(last.path("done").asBoolean(false)).as(response.body()).isTrue();
    return text.toString();
  }

  private String openAi(ServedJar server, String model, String prompt) throws Exception {
    HttpResponse<String> response =
        client.send(
            post(
                server,
                "/v1/chat/completions",
                Map.of(
                    "model",
                    model,
                    "temperature",
                    0,
                    "max_tokens",
                    48,
                    "messages",
                    List.of(message("user", prompt)))),
            HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() == 503) {
      assertThat(response.body()).contains(BUSY);
      return null;
    }
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return JsonMapper.shared()
        .readTree(response.body())
        .at("/choices/0/message/content")
        .asString("");
  }

  /** Begins an answer that is long, and goes. */
  private boolean leave(ServedJar server, String model) throws Exception {
    Map<String, Object> body =
        Map.of(
            "model",
            model,
            "messages",
            List.of(message("user", "Count.")),
            "format",
            Map.of("type", "array", "items", Map.of("enum", List.of(1)), "minItems", 1000));
    HttpResponse<InputStream> response =
        client.send(post(server, "/api/chat", body), HttpResponse.BodyHandlers.ofInputStream());
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
      if (response.statusCode() != 200) {
        return check("", null);
      }
      assertThat(lines.readLine()).contains("\"done\":false");
      left.incrementAndGet();
      return false;
    }
  }

  private boolean check(String key, String answer) throws InterruptedException {
    if (answer == null) {
      refused.incrementAndGet();
      Thread.sleep(50);
      return false;
    }
    assertThat(answer).as(key).isEqualTo(alone.get(key));
    answers.incrementAndGet();
    return true;
  }

  /** One client's next request; says whether it was answered. */
  private boolean one(ServedJar server, Random random) throws Exception {
    String model = random.nextInt(4) > 0 ? "demo" : "demo:q6";
    String prompt = PROMPTS.get(random.nextInt(PROMPTS.size()));
    String key = model + " " + prompt;
    return switch (random.nextInt(12)) {
      case 0 -> leave(server, model);
      case 1 -> check(key, openAi(server, model, prompt));
      case 2 ->
          check(key + " twice", ollama(server, model, random.nextBoolean(), twoTurns(key, prompt)));
      default ->
          check(key, ollama(server, model, random.nextBoolean(), List.of(message("user", prompt))));
    };
  }

  /** The same, but for a connection that breaks. */
  private boolean oneOrBroken(ServedJar server, Random random) throws Exception {
    try {
      return one(server, random);
    } catch (IOException e) {
      broken.add(e);
      return false;
    }
  }

  private List<Map<String, String>> twoTurns(String key, String prompt) {
    return List.of(
        message("user", prompt),
        message("assistant", alone.get(key)),
        message("user", "What is 12 plus 30?"));
  }

  private static Sample sample(ProcessHandle process, double second) throws IOException {
    Path proc = Path.of("/proc/" + process.pid());
    long resident = 0;
    int threads = 0;
    for (String line : Files.readAllLines(proc.resolve("status"))) {
      String value = line.replaceAll("[^0-9]", "");
      if (line.startsWith("VmRSS:")) {
        resident = Long.parseLong(value) << 10;
      } else if (line.startsWith("Threads:")) {
        threads = Integer.parseInt(value);
      }
    }
    try (var files = Files.list(proc.resolve("fd"))) {
      return new Sample(second, resident, threads, (int) files.count());
    }
  }

  /**
   * Bytes of the server's live objects. What is in use after a collection would count what threads
   * took since, some megabytes at a time, and the room between objects that three collections of
   * four leave, which the histogram lists as elements that fill it.
   */
  private static long liveHeap(ProcessHandle process) throws Exception {
    Process jcmd =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(process.pid()),
                "GC.class_histogram")
            .redirectErrorStream(true)
            .start();
    List<String> lines = jcmd.inputReader().readAllLines();
    assertThat(jcmd.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(jcmd.exitValue()).isZero();
    String[] total = lines.getLast().trim().split("\\s+");
    assertThat(total).as(lines.getLast()).hasSize(3).startsWith("Total");
    // number, instances, bytes, class
    long filling =
        lines.stream()
            .filter(line -> line.contains("jdk.internal.vm.FillerElement"))
            .mapToLong(line -> Long.parseLong(line.trim().split("\\s+")[2]))
            .sum();
    return Long.parseLong(total[2]) - filling;
  }

  private double metric(ServedJar server, String name) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(server.url() + "/metrics")).GET().build();
    return client
        .send(request, HttpResponse.BodyHandlers.ofString())
        .body()
        .lines()
        .filter(line -> line.startsWith("pelican_" + name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElseThrow();
  }

  private static double meanResident(List<Sample> samples, double from, double to) {
    return samples.stream()
        .filter(sample -> sample.second() >= from && sample.second() < to)
        .mapToLong(Sample::resident)
        .average()
        .orElseThrow();
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  @Test
  void eachGetsTheAnswerThatItGetsAlone() throws Exception {
    try (ServedJar server =
            ServedJar.start(folder, "--quiet", "--max-queue", Integer.toString(MAX_QUEUE));
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      ProcessHandle process = server.process().descendants().findFirst().orElseThrow();
      for (String model : List.of("demo", "demo:q6")) {
        for (String prompt : PROMPTS) {
          String key = model + " " + prompt;
          alone.put(key, ollama(server, model, false, List.of(message("user", prompt))));
          alone.put(key + " twice", ollama(server, model, false, twoTurns(key, prompt)));
        }
      }
      long start = System.nanoTime();
      long end = start + TimeUnit.SECONDS.toNanos(SECONDS);
      List<Future<?>> clients = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Random random = new Random(i);
        clients.add(
            threads.submit(() -> {
              boolean answered = false;
              while (!answered || System.nanoTime() < end) {
                answered |= oneOrBroken(server, random);
              }
              return null;
            }));
      }
      // A fifth of the time stands for a minute.
      double minute = SECONDS / 5.0;
      List<Sample> samples = new ArrayList<>();
      // What a collection moves to where no object was before would count as growth, so the first
      // is before memory is looked at. In a short run the heap is still filling up by then.
      double firstHeap = (SECONDS >= 300 ? 1 : 2) * minute;
      List<Long> heaps = new ArrayList<>();
      while (System.nanoTime() < end) {
        double second = (System.nanoTime() - start) / 1e9;
        samples.add(sample(process, second));
        if (second >= firstHeap + heaps.size() * minute / HEAPS_A_MINUTE) {
          heaps.add(liveHeap(process));
        }
        Thread.sleep(100);
      }
      for (Future<?> each : clients) {
        each.get();
      }
      heaps.add(liveHeap(process));
      int looks = Math.min(HEAPS_A_MINUTE, heaps.size());
      long heapBefore = median(heaps.subList(0, looks));
      long heapAfter = median(heaps.subList(heaps.size() - looks, heaps.size()));
      double residentBefore = meanResident(samples, minute, 2 * minute);
      double residentAfter = meanResident(samples, 4 * minute, 5 * minute);
      Sample first = samples.get(samples.size() / 5);
      Sample last = samples.getLast();
      System.out.printf(
          "%d clients for %d s: %d answers, %d refused, %d left, %d broken; resident %.1f MB in the"
              + " second fifth, %.1f MB in the last; live heap %.1f MB, then %.1f MB; threads %d,"
              + " then %d; descriptors %d, then %d%n",
          CLIENTS,
          SECONDS,
          answers.get(),
          refused.get(),
          left.get(),
          broken.size(),
          residentBefore / 1e6,
          residentAfter / 1e6,
          heapBefore / 1e6,
          heapAfter / 1e6,
          first.threads(),
          last.threads(),
          first.descriptors(),
          last.descriptors());
      assertThat(answers.get()).isGreaterThanOrEqualTo(CLIENTS);
      assertThat(refused.get()).isPositive();
      assertThat(left.get()).isPositive();
      // A machine that slept for so long may close a kept connection when it is used again.
      double pause = 0;
      for (int i = 1; i < samples.size(); i++) {
        pause = Math.max(pause, samples.get(i).second() - samples.get(i - 1).second());
      }
      if (pause < KEPT_SECONDS) {
        assertThat(broken).isEmpty();
      }
      // In a short run the program itself is still being compiled.
      double growth = SECONDS >= 300 ? 1.05 : 1.5;
      assertThat(residentAfter).isLessThan(growth * residentBefore);
      assertThat((double) heapAfter).isLessThan(growth * heapBefore);
      assertThat(last.threads()).isLessThanOrEqualTo(first.threads() + CLIENTS);
      assertThat(last.descriptors()).isLessThanOrEqualTo(first.descriptors() + CLIENTS);
      awaitZero(server, "generating");
      awaitZero(server, "queue");
      assertThat(server.log()).doesNotContain("Error", "Exception");
    }
  }

  private void awaitZero(ServedJar server, String name) throws Exception {
    for (int i = 0; i < 200 && metric(server, name) > 0; i++) {
      Thread.sleep(50);
    }
    assertThat(metric(server, name)).as(name).isZero();
  }
}
