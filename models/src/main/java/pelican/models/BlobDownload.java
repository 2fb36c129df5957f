package pelican.models;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Fetches one blob in parts, several at a time. How far each part is stands in a file beside the
 * data, in Ollama's own form, so either program goes on with what the other began.
 */
final class BlobDownload {
  private static final long MIN_PART = 100_000_000L;
  private static final long MAX_PART = 1_000_000_000L;
  private static final int PARTS = 16;
  private static final int PARALLEL = 4;
  private static final int ATTEMPTS = 6;
  private static final long STALL_SECONDS = 30;

  /** Bytes after which progress is written down. */
  private static final long CHECKPOINT = 8L << 20;

  private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d+)-(\\d+)/(\\d+|\\*)");

  private final RegistryClient registry;
  private final OllamaStore store;
  private final Manifest.Layer layer;
  private final Puller.Progress progress;
  private final Path data;
  private final AtomicLong completed = new AtomicLong();

  BlobDownload(
      RegistryClient registry, OllamaStore store, Manifest.Layer layer, Puller.Progress progress) {
    this.registry = registry;
    this.store = store;
    this.layer = layer;
    this.progress = progress;
    Path blob = store.blob(layer.digest());
    data = blob.resolveSibling(blob.getFileName() + "-partial");
  }

  /** A range of the blob and how much of it is there. */
  private static final class Part {
    final int number;
    final long offset;
    final long size;
    volatile long done;

    Part(int number, long offset, long size, long done) {
      this.number = number;
      this.offset = offset;
      this.size = size;
      this.done = done;
    }
  }

  void run() throws IOException {
    List<Part> parts = parts();
    completed.set(parts.stream().mapToLong(part -> part.done).sum());
    report();
    try (FileChannel file =
            FileChannel.open(data, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(daemon())) {
      fetch(parts, file, watch);
      file.force(true);
      watch.shutdownNow();
    }
    progress.status("verifying sha256 digest");
    Digest got = Digest.of(data);
    for (Part part : parts) {
      Files.deleteIfExists(stateFile(part.number));
    }
    if (!got.equals(layer.digest())) {
      Files.deleteIfExists(data);
      throw new PelicanException(
          "digest mismatch, file must be downloaded again: want "
              + layer.digest()
              + ", got "
              + got);
    }
    Files.move(data, store.blob(layer.digest()), StandardCopyOption.ATOMIC_MOVE);
  }

  private static ThreadFactory daemon() {
    return task -> Thread.ofPlatform().daemon().unstarted(task);
  }

  private void fetch(List<Part> parts, FileChannel file, ScheduledExecutorService watch)
      throws IOException {
    try (ExecutorService pool = Executors.newFixedThreadPool(PARALLEL, daemon())) {
      List<Future<?>> running = new ArrayList<>();
      for (Part part : parts) {
        running.add(
            pool.submit(() -> {
              fetch(part, file, watch);
              return null;
            }));
      }
      try {
        for (Future<?> future : running) {
          future.get();
        }
      } catch (ExecutionException e) {
        pool.shutdownNow();
        switch (e.getCause()) {
          case IOException cause -> throw cause;
          case RuntimeException cause -> throw cause;
          default -> throw new IllegalStateException(e.getCause());
        }
      } catch (InterruptedException e) {
        pool.shutdownNow();
        Thread.currentThread().interrupt();
        throw new PelicanException("interrupted", e);
      }
    }
  }

  /** The parts as an earlier download left them, or a new plan. */
  private List<Part> parts() throws IOException {
    List<Part> parts = new ArrayList<>();
    if (Files.isRegularFile(data)) {
      long offset = 0;
      while (offset < layer.size() && Files.isRegularFile(stateFile(parts.size()))) {
        Part part = read(parts.size());
        if (part == null || part.offset != offset) {
          break;
        }
        parts.add(part);
        offset += part.size;
      }
      if (offset == layer.size() && !parts.isEmpty()) {
        return parts;
      }
    }
    // Without a complete plan, what is there cannot be told from what is not.
    for (int number = 0; Files.deleteIfExists(stateFile(number)); number++) {
      // until there is none
    }
    parts.clear();
    long size = Math.clamp(layer.size() / PARTS, MIN_PART, MAX_PART);
    for (long offset = 0; offset < layer.size(); offset += size) {
      Part part = new Part(parts.size(), offset, Math.min(size, layer.size() - offset), 0);
      write(part);
      parts.add(part);
    }
    return parts;
  }

  private Path stateFile(int number) {
    return data.resolveSibling(data.getFileName() + "-" + number);
  }

  private Part read(int number) throws IOException {
    try {
      JsonNode json = JsonMapper.shared().readTree(Files.readAllBytes(stateFile(number)));
      long offset = json.path("Offset").asLong(-1);
      long size = json.path("Size").asLong(-1);
      long done = json.path("Completed").asLong(-1);
      boolean sane =
          offset >= 0 && size > 0 && done >= 0 && done <= size && offset <= layer.size() - size;
      return sane ? new Part(number, offset, size, done) : null;
    } catch (JacksonException e) {
      return null;
    }
  }

  private void write(Part part) throws IOException {
    String json =
        "{\"N\":%d,\"Offset\":%d,\"Size\":%d,\"Completed\":%d}"
            .formatted(part.number, part.offset, part.size, part.done);
    Path target = stateFile(part.number);
    // Not under a part's name: Ollama would take what is left of it for a part.
    Path temporary = store.temporary();
    try {
      Files.writeString(temporary, json);
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private void fetch(Part part, FileChannel file, ScheduledExecutorService watch)
      throws IOException, InterruptedException {
    IOException last = null;
    int attempt = 0;
    while (part.done < part.size) {
      if (attempt == ATTEMPTS) {
        throw last;
      }
      if (attempt > 0) {
        TimeUnit.SECONDS.sleep(1L << (attempt - 1));
      }
      long before = part.done;
      try {
        request(part, file, watch);
      } catch (IOException e) {
        last = e;
      }
      // Whatever brought some data does not count as a failure.
      attempt = part.done > before ? 0 : attempt + 1;
    }
  }

  private void request(Part part, FileChannel file, ScheduledExecutorService watch)
      throws IOException {
    long from = part.offset + part.done;
    long to = part.offset + part.size - 1;
    HttpResponse<InputStream> response = registry.blob(layer.digest(), from, to);
    AtomicLong lastRead = new AtomicLong(System.nanoTime());
    try (InputStream body = response.body()) {
      long skip = bytesToSkip(response, from, body);
      ScheduledFuture<?> stall =
          watch.scheduleAtFixedRate(() -> closeIfStalled(body, lastRead), 1, 1, TimeUnit.SECONDS);
      try {
        body.skipNBytes(skip);
        copy(body, part, file, lastRead);
      } finally {
        stall.cancel(false);
        checkpoint(part);
      }
    }
  }

  /** What of the body stands before the range: nothing, unless the server sends the whole blob. */
  private long bytesToSkip(HttpResponse<InputStream> response, long from, InputStream body)
      throws IOException {
    switch (response.statusCode()) {
      case 206 -> {
        String range = response.headers().firstValue("Content-Range").orElse("");
        Matcher matcher = CONTENT_RANGE.matcher(range);
        if (!matcher.matches() || Long.parseLong(matcher.group(1)) != from) {
          throw new PelicanException(
              "the registry sends '" + range + "', expected bytes from " + from);
        }
        return 0;
      }
      case 200 -> {
        return from;
      }
      case 408, 429, 500, 502, 503, 504 ->
          throw new IOException("the registry answers " + response.statusCode());
      default -> throw RegistryClient.failure(response.statusCode(), body.readNBytes(1000));
    }
  }

  private static void closeIfStalled(InputStream body, AtomicLong lastRead) {
    if (System.nanoTime() - lastRead.get() > TimeUnit.SECONDS.toNanos(STALL_SECONDS)) {
      try {
        body.close();
      } catch (IOException e) {
        // the reader notices
      }
    }
  }

  private void copy(InputStream body, Part part, FileChannel file, AtomicLong lastRead)
      throws IOException {
    byte[] buffer = new byte[1 << 16];
    long checkpoint = part.done + CHECKPOINT;
    while (part.done < part.size) {
      int n = body.read(buffer, 0, (int) Math.min(buffer.length, part.size - part.done));
      if (n < 0) {
        throw new IOException(
            "the registry ends the body %d bytes early".formatted(part.size - part.done));
      }
      lastRead.set(System.nanoTime());
      ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
      save(bytes, file, part.offset + part.done);
      part.done += n;
      completed.addAndGet(n);
      report();
      if (part.done >= checkpoint) {
        checkpoint(part);
        checkpoint += CHECKPOINT;
      }
    }
  }

  // What fails on this machine, as a full disk does, fails again: it is not an IOException here, so
  // that no further attempt is made.

  private static void save(ByteBuffer bytes, FileChannel file, long position) {
    try {
      while (bytes.hasRemaining()) {
        file.write(bytes, position + bytes.position());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void checkpoint(Part part) {
    try {
      write(part);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void report() {
    progress.blob(layer.digest(), completed.get(), layer.size());
  }
}
