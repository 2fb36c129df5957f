package pelican.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pelican.server.http.HttpLimits;

/**
 * Bad requests of every kind, several at a time; {@code -Dpelican.hostile.requests=10000} sends so
 * many. None may find a defect, and none may leave anything behind.
 */
@Timeout(900)
class HostileRequestsTest {
  private static final int CLIENTS = 8;
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 ([0-9]{3}) ");

  /** The reasons for which a request is answered with 500, as Ollama does. */
  private static final Pattern TOLD =
      Pattern.compile(
          "(?s).*(must be of type|must be of an array|invalid format:|memory|does not support).*");

  /** Greedy, since the model of random weights then runs in circles and never ends by itself. */
  private static final String ENDLESS =
      "{\"model\":\"tiny\",\"prompt\":\"the\",\"raw\":true,\"stream\":%s,"
          + "\"options\":{\"num_ctx\":8000,\"num_predict\":-1,\"temperature\":0}}";

  private static final HttpLimits LIMITS =
      new HttpLimits(
          1 << 20,
          TestServer.MAX_BLOB,
          8192,
          Duration.ofSeconds(1),
          Duration.ofSeconds(1),
          Duration.ofSeconds(10),
          512);

  private final Map<String, AtomicInteger> statuses = new ConcurrentSkipListMap<>();
  private final Set<String> told = new ConcurrentSkipListSet<>();

  /** What is in use of that which a leak would take more and more of. */
  private record Usage(long heap, long descriptors, int threads, long virtualThreads) {
    static Usage now() throws IOException {
      System.gc();
      Runtime runtime = Runtime.getRuntime();
      return new Usage(
          runtime.totalMemory() - runtime.freeMemory(),
          ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
              ? unix.getOpenFileDescriptorCount()
              : 0,
          ManagementFactory.getThreadMXBean().getThreadCount(),
          countVirtualThreads());
    }

    private static long countVirtualThreads() throws IOException {
      Path dump = Files.createTempDirectory("pelican-").resolve("threads.txt");
      try {
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
            .dumpThreads(dump.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
        return Files.readAllLines(dump).stream().filter(l -> l.contains(" virtual")).count();
      } finally {
        Files.deleteIfExists(dump);
        Files.delete(dump.getParent());
      }
    }
  }

  /** Keeps what the HTTP library would print, with stack traces, on standard error. */
  private static final class Complaints extends Handler {
    final List<String> texts = new ArrayList<>();

    @Override
    public synchronized void publish(LogRecord record) {
      if (record.getLevel().intValue() >= Level.WARNING.intValue()) {
        texts.add(record.getMessage() + " " + record.getThrown());
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @Test
  void nothingBreaksTheServer(@TempDir Path folder) throws Exception {
    int count = Integer.getInteger("pelican.hostile.requests", 1500);
    Logger jetty = Logger.getLogger("org.eclipse.jetty");
    Complaints complaints = new Complaints();
    jetty.addHandler(complaints);
    try (TestServer server = new TestServer(folder, 512, Optional.empty(), true, LIMITS)) {
      server.install("tiny", "tiny-Q4_K_M.gguf", "gemma4", "{\"num_predict\":2,\"num_ctx\":64}");
      send(server, count / 5, 1);
      settle(server);
      Usage before = Usage.now();
      send(server, count - count / 5, 2);
      settle(server);
      Usage after = Usage.now();
      System.out.printf(
          "%d hostile requests; answers by status %s; answers of 500 told %s; before %s, after"
              + " %s%n",
          count, statuses, told, before, after);
      assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
      assertThat(complaints.texts).isEmpty();
      int answered = statuses.values().stream().mapToInt(AtomicInteger::get).sum();
      assertThat(answered).isGreaterThan(count / 2);
      assertThat(after.heap()).isLessThan(before.heap() + before.heap() / 10 + (8 << 20));
      assertThat(after.descriptors()).isLessThanOrEqualTo(before.descriptors() + 4);
      assertThat(after.threads()).isLessThanOrEqualTo(before.threads() + 4);
      assertThat(after.virtualThreads()).isLessThanOrEqualTo(before.virtualThreads() + 4);
      assertThat(server.send(server.request("/healthz")).body()).isEqualTo("ok");
      assertThat(
              server
                  .post("/api/generate", "{\"model\":\"tiny\",\"prompt\":\"a\",\"stream\":false}")
                  .body())
          .contains("\"done\":true");
    } finally {
      jetty.removeHandler(complaints);
    }
  }

  @Test
  void numbersOutOfRangeAreToldInEveryField(@TempDir Path folder) throws Exception {
    try (TestServer server = new TestServer(folder, 512, Optional.empty(), true, LIMITS)) {
      server.install("tiny", "tiny-Q4_K_M.gguf", "gemma4", "{\"num_predict\":2,\"num_ctx\":64}");
      int sent = 0;
      for (String endpoint : HostileBodies.endpoints()) {
        for (String pointer : HostileBodies.numericFields(endpoint)) {
          for (String number : HostileBodies.NUMBERS) {
            String answer =
                exchange(server, post(HostileBodies.replaced(endpoint, pointer, number)));
            String what = endpoint + " " + pointer + " " + number + ": " + answer;
            check(answer, what);
            // What is not there at all does not look at its fields.
            boolean there = !answer.startsWith("HTTP/1.1 501 ");
            if (there && number.contains("e400") || there && number.matches(".*[NI].*")) {
              assertThat(answer).as(what).startsWith("HTTP/1.1 400 ");
            }
            sent++;
          }
        }
      }
      System.out.println(sent + " numbers; answers by status " + statuses);
      assertThat(sent).isGreaterThan(1000);
      assertThat(server.log.toString(StandardCharsets.UTF_8)).isEmpty();
    }
  }

  /** Sends requests from several clients at a time. */
  private void send(TestServer server, int count, int seed) throws Exception {
    AtomicInteger left = new AtomicInteger(count);
    try (ExecutorService threads = Executors.newFixedThreadPool(CLIENTS)) {
      List<Future<?>> clients = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Random random = new Random(100L * seed + i);
        clients.add(
            threads.submit(() -> {
              while (left.getAndDecrement() > 0) {
                one(server, random);
              }
              return null;
            }));
      }
      for (Future<?> client : clients) {
        client.get();
      }
    }
  }

  private void one(TestServer server, Random random) throws IOException {
    int kind = random.nextInt(20);
    if (kind < 3) {
      abandon(server, random);
      return;
    }
    byte[] request = kind < 8 ? HostileConnections.draw(random) : post(HostileBodies.draw(random));
    String shown = new String(request, StandardCharsets.ISO_8859_1);
    check(exchange(server, request), shown.length() < 3000 ? shown : shown.substring(0, 3000));
  }

  private void check(String answer, String what) {
    assertThat(answer)
        .as(what)
        .doesNotContain("\tat ", "Exception", "internal error", "java.", "null pointer");
    Matcher status = STATUS.matcher(answer);
    while (status.find()) {
      statuses.computeIfAbsent(status.group(1), key -> new AtomicInteger()).incrementAndGet();
    }
    if (answer.startsWith("HTTP/1.1 500")) {
      String body = answer.substring(answer.indexOf("\r\n\r\n") + 4);
      assertThat(body).as(what).matches(TOLD);
      told.add(body.replaceAll("\\\\?\"[^\"]*\\\\?\"", "…").replaceAll("[0-9]+", "0").strip());
    }
  }

  private static byte[] post(HostileBodies.Body body) {
    byte[] header =
        HostileConnections.latin(
            body.endpoint().replaceFirst("\\?.*", "")
                + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
                + body.bytes().length
                + "\r\n\r\n");
    byte[] all = Arrays.copyOf(header, header.length + body.bytes().length);
    System.arraycopy(body.bytes(), 0, all, header.length, body.bytes().length);
    return all;
  }

  /** Sends bytes, ends this side of the connection only once all is read, and gives the answer. */
  private static String exchange(TestServer server, byte[] request) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.server.port())) {
      // More than the server gives a header that never ends.
      socket.setSoTimeout(240_000);
      InputStream in = socket.getInputStream();
      java.io.ByteArrayOutputStream answer = new java.io.ByteArrayOutputStream();
      try {
        OutputStream out = socket.getOutputStream();
        out.write(request);
        in.transferTo(answer);
      } catch (java.net.SocketTimeoutException e) {
        throw new AssertionError(
            "no end of the answer to " + new String(request, StandardCharsets.ISO_8859_1), e);
      } catch (IOException e) {
        // The server may close while the rest is being sent; what it said before counts.
      }
      return answer.toString(StandardCharsets.ISO_8859_1);
    }
  }

  /** Begins a request and goes, at one moment or another, one way or another. */
  private static void abandon(TestServer server, Random random) throws IOException {
    String body = ENDLESS.formatted(random.nextBoolean());
    byte[] request =
        HostileConnections.latin(
            "POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                + body.length()
                + "\r\n\r\n"
                + body);
    try (Socket socket = new Socket("127.0.0.1", server.server.port())) {
      socket.setSoTimeout(240_000);
      int part = random.nextInt(3) == 0 ? random.nextInt(request.length) : request.length;
      socket.getOutputStream().write(request, 0, part);
      boolean stream = part == request.length && body.contains("\"stream\":true");
      if (stream && random.nextBoolean()) {
        socket.getInputStream().readNBytes(1 + random.nextInt(2000));
      }
      switch (random.nextInt(3)) {
        case 0 -> socket.setSoLinger(true, 0);
        case 1 -> {
          socket.shutdownOutput();
          socket.getInputStream().transferTo(OutputStream.nullOutputStream());
        }
        default -> {
          // closed in order
        }
      }
    } catch (IOException e) {
      // The server may have closed first.
    }
  }

  /** Waits until the server has noticed that all clients have gone. */
  private static void settle(TestServer server) throws Exception {
    String metrics = "";
    for (int i = 0; i < 600; i++) {
      metrics = server.send(server.request("/metrics")).body();
      if (metrics.contains("\npelican_generating 0\n")
          && metrics.contains("\npelican_queue 0\n")
          && metrics.contains("\npelican_connections 1\n")) {
        return;
      }
      Thread.sleep(50);
    }
    assertThat(metrics)
        .contains("\npelican_generating 0\n", "\npelican_queue 0\n", "\npelican_connections 1\n");
  }
}
