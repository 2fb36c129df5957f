package pelican.eval;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Results on disk, a JSON object a line, so that an evaluation that was cut short can go on: first
 * {@code {"run": …}} with what was asked, then {@code {"model": …}} for each model and {@code
 * {"result": …}} for each answer as it came. A line that was not written whole, as by a process
 * that was killed, is dropped.
 */
public final class ResultFile implements AutoCloseable {
  private static final int VERSION = 1;
  private static final JsonMapper JSON = JsonMapper.shared();

  /**
   * What was asked.
   *
   * @param version of the format
   * @param dataset the set's name
   * @param sha256 the set's digest
   * @param options all that answers depend on beside model and prompt, by name
   */
  record Run(int version, String dataset, String sha256, Map<String, String> options) {}

  private final Path path;
  private final FileChannel channel;
  private final Map<String, Candidate> candidates = new LinkedHashMap<>();
  private final List<Result> results = new ArrayList<>();

  private ResultFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /**
   * Opens a file to go on with, or begins one.
   *
   * @param options all that answers depend on beside model and prompt, by name
   * @throws PelicanException if the file holds something else, results of another set or with other
   *     options, or is in use
   */
  public static ResultFile open(Path path, Dataset dataset, Map<String, String> options)
      throws IOException {
    FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    ResultFile file = new ResultFile(path, channel);
    try {
      file.lock();
      Run wanted = new Run(VERSION, dataset.name(), dataset.digest().toString(), options);
      if (file.read(wanted) == 0) {
        file.write("run", wanted);
      }
      return file;
    } catch (RuntimeException | IOException e) {
      file.close();
      throw e;
    }
  }

  private void lock() throws IOException {
    boolean locked;
    try {
      locked = channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      locked = false;
    }
    if (!locked) {
      throw new PelicanException(
          path + ": another evaluation is writing it, expected another file");
    }
  }

  /** Returns the number of lines. */
  private int read(Run wanted) throws IOException {
    byte[] bytes = Channels.newInputStream(channel).readAllBytes();
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] != '\n') {
      end--;
    }
    String text = new String(bytes, 0, end, StandardCharsets.UTF_8);
    String[] lines = text.isEmpty() ? new String[0] : text.split("\n");
    if (lines.length == 0 && bytes.length > 0 && !isBegun(bytes)) {
      throw notResults("expected a file of its own or none");
    }
    for (int i = 0; i < lines.length; i++) {
      try {
        read(JSON.readTree(lines[i]), i, wanted);
      } catch (JacksonException e) {
        throw i == 0
            ? notResults("line 1 is no JSON, expected a file of its own or none")
            : new PelicanException(
                path + ", line " + (i + 1) + ": no result: " + e.getOriginalMessage(), e);
      }
    }
    channel.truncate(end);
    channel.position(end);
    return lines.length;
  }

  /** Whether what has no whole line yet is the beginning of a first line of such a file. */
  private static boolean isBegun(byte[] bytes) {
    String start = "{\"run\":";
    String text =
        new String(bytes, 0, Math.min(bytes.length, start.length()), StandardCharsets.UTF_8);
    return start.startsWith(text);
  }

  private PelicanException notResults(String what) {
    return new PelicanException(path + " holds no results of eval: " + what);
  }

  private void read(JsonNode line, int index, Run wanted) {
    if (index == 0) {
      if (!line.path("run").isObject()) {
        throw notResults("line 1 has no \"run\", expected a file of its own or none");
      }
      check(JSON.treeToValue(line.get("run"), Run.class), wanted);
    } else if (line.path("model").isObject()) {
      Candidate candidate = JSON.treeToValue(line.get("model"), Candidate.class);
      candidates.put(candidate.model(), candidate);
    } else if (line.path("result").isObject()) {
      results.add(JSON.treeToValue(line.get("result"), Result.class));
    } else {
      throw new PelicanException(
          path + ", line " + (index + 1) + ": neither \"model\" nor \"result\", expected one");
    }
  }

  private void check(Run run, Run wanted) {
    if (run.version != VERSION) {
      throw refused("in version " + run.version + " of the format", "version " + VERSION);
    }
    if (!wanted.sha256.equals(run.sha256)) {
      throw refused(
          "of the set %s (%s)".formatted(run.dataset, run.sha256),
          "%s (%s)".formatted(wanted.dataset, wanted.sha256));
    }
    Map<String, String> options = run.options == null ? Map.of() : run.options;
    Set<String> names = new LinkedHashSet<>(wanted.options.keySet());
    names.addAll(options.keySet());
    for (String name : names) {
      String old = options.getOrDefault(name, "unset");
      String now = wanted.options.getOrDefault(name, "unset");
      if (!old.equals(now)) {
        throw refused("with " + name + " " + old, name + " " + now);
      }
    }
  }

  private PelicanException refused(String held, String wanted) {
    return new PelicanException(
        "%s holds results %s, not %s: to begin anew, give another --output or remove it"
            .formatted(path, held, wanted));
  }

  /**
   * Notes that a model is to be scored.
   *
   * @throws PelicanException if the results are those of another model of that name
   */
  public synchronized void begin(Candidate candidate) throws IOException {
    Candidate held = candidates.get(candidate.model());
    if (held == null) {
      candidates.put(candidate.model(), candidate);
      write("model", candidate);
    } else if (!candidate.sha256().equals(held.sha256())) {
      throw refused(
          "of another %s (%s, %s)".formatted(held.model(), held.file(), held.sha256()),
          "%s (%s)".formatted(candidate.file(), candidate.sha256()));
    }
  }

  /** The results that the file held when it was opened. */
  public List<Result> results() {
    return List.copyOf(results);
  }

  /** Appends a result. */
  public synchronized void add(Result result) throws IOException {
    write("result", result);
  }

  private void write(String kind, Object value) throws IOException {
    String line = JSON.writeValueAsString(Map.of(kind, value)) + "\n";
    ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
