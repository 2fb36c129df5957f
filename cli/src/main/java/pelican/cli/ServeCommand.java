package pelican.cli;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import pelican.engine.ModelOptions;
import pelican.engine.PelicanException;
import pelican.models.Aliases;
import pelican.models.OllamaStore;
import pelican.server.Environment;
import pelican.server.PelicanServer;
import pelican.server.ServerSettings;
import pelican.server.inference.KeepAlive;
import pelican.server.inference.Scheduler;
import pelican.server.ollama.RequestReader;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import sun.misc.Signal;

@Command(
    name = "serve",
    aliases = "start",
    description = "Serves models by HTTP, as Ollama does.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
  private static final int MAX_GRACE = 3600;
  @Spec private CommandSpec spec;

  @Option(
      names = "--host",
      paramLabel = "HOST[:PORT]",
      description = "Address to listen on; default: OLLAMA_HOST or 127.0.0.1:11434.")
  private String host;

  @Option(
      names = "--origins",
      split = ",",
      paramLabel = "ORIGIN",
      description = "Origins of pages that may send requests, besides OLLAMA_ORIGINS.")
  private List<String> origins = List.of();

  @Option(names = "--api-key", description = "What clients must send; or PELICAN_API_KEY.")
  private String apiKey;

  @Option(names = "--api-key-file", description = "A file with the API key.")
  private Path apiKeyFile;

  @Option(
      names = "--parallel",
      description = "Requests that a model answers at once; default: OLLAMA_NUM_PARALLEL or 4.")
  private Integer parallel;

  @Option(
      names = "--max-queue",
      description = "Requests that may wait; default: OLLAMA_MAX_QUEUE or 512.")
  private Integer maxQueue;

  @Option(
      names = "--context-length",
      description = "Tokens of context; default: OLLAMA_CONTEXT_LENGTH or 4096.")
  private Integer contextLength;

  @Option(
      names = "--keep-alive",
      description = "How long an unused model stays loaded; default: OLLAMA_KEEP_ALIVE or 5m.")
  private String keepAlive;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      description = {
        "What weights, buffers and sessions of all models may take together, such as 12GiB;",
        "default: PELICAN_MEMORY or nine tenths of the machine's memory."
      })
  private Long memory;

  @ArgGroup(validate = false, heading = "%nWhat clients may take:%n")
  private LimitOptions limits = new LimitOptions();

  @Option(names = "--threads", description = "Threads that compute; default: the cores.")
  private Integer threads;

  @Option(
      names = "--grace",
      paramLabel = "SECONDS",
      description =
          "How long answers may go on when the server is told to end; default: ${DEFAULT-VALUE}.")
  private int grace = 5;

  @Option(names = "--no-demo", description = "Do not serve the model that the program carries.")
  private boolean noDemo;

  @Option(names = "--quiet", description = "No line for each request.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (grace < 0 || grace > MAX_GRACE) {
      throw new PelicanException("--grace is " + grace + ", expected 0 to " + MAX_GRACE);
    }
    ServerSettings settings = settings(Environment.ofProcess());
    if (!settings.isLoopback() && settings.apiKey().isEmpty()) {
      System.err.println(
          "Warning: listening beyond this machine without an API key: whoever reaches "
              + settings.host()
              + " may use and delete models; set --api-key-file.");
    }
    PelicanServer server =
        new PelicanServer(settings, OllamaStore.locate(), Aliases.ofUser(), System.err);
    server.start();
    String shown = settings.host().isEmpty() ? "0.0.0.0" : settings.host();
    String bracketed = shown.contains(":") ? "[" + shown + "]" : shown;
    System.err.println("Listening on http://" + bracketed + ":" + server.port());
    CountDownLatch closed = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  shutDown(server);
                  closed.countDown();
                },
                "pelican-shutdown"));
    endAtOnceWhenAskedTwice();
    closed.await();
    return 0;
  }

  private void shutDown(PelicanServer server) {
    int active = server.active();
    if (active > 0 && grace > 0) {
      System.err.printf(
          "Stopping: %d %s up to %d s to end; Ctrl-C again ends at once%n",
          active, active == 1 ? "request has" : "requests have", grace);
    }
    server.shutdown(Duration.ofSeconds(grace));
  }

  /** The JVM itself ignores a second signal while it waits for what the first began. */
  private static void endAtOnceWhenAskedTwice() {
    int code = 128 + 2;
    AtomicBoolean asked = new AtomicBoolean();
    Signal.handle(
        new Signal("INT"),
        signal -> {
          if (asked.getAndSet(true)) {
            Runtime.getRuntime().halt(code);
          }
          System.exit(code);
        });
  }

  /** What flags and variables amount to. */
  ServerSettings settings(Environment environment) throws IOException {
    Environment.Address address = host == null ? environment.host() : Environment.parseHost(host);
    List<String> allowed = new ArrayList<>(environment.origins());
    allowed.addAll(origins);
    ModelOptions options =
        threads == null
            ? ModelOptions.DEFAULT
            : flag(() -> ModelOptions.DEFAULT.withThreads(threads));
    KeepAlive keep =
        keepAlive == null
            ? environment.keepAlive()
            : flag(() -> RequestReader.keepAlive(keepAlive));
    int loaded = environment.integer("OLLAMA_MAX_LOADED_MODELS", 0);
    Scheduler.Limits models =
        new Scheduler.Limits(
            positive("--parallel", parallel, environment, "OLLAMA_NUM_PARALLEL", 4),
            loaded == 0 ? 3 : atLeastOne("OLLAMA_MAX_LOADED_MODELS", loaded),
            positive("--max-queue", maxQueue, environment, "OLLAMA_MAX_QUEUE", 512),
            memory(environment),
            keep,
            positive("--context-length", contextLength, environment, "OLLAMA_CONTEXT_LENGTH", 4096),
            options);
    return new ServerSettings(
        address.host(),
        address.port(),
        allowed,
        key(environment),
        flag(limits::limits),
        models,
        !noDemo,
        !quiet,
        PelicanCommand.Version.version());
  }

  private static int atLeastOne(String name, int value) {
    if (value < 1) {
      throw new PelicanException(name + " is " + value + ", expected 1 or more");
    }
    return value;
  }

  /** A flag's value, else a variable's; 0 in the variable means the default, as Ollama has it. */
  private int positive(
      String name, Integer given, Environment environment, String variable, int missing) {
    if (given != null) {
      return flag(() -> atLeastOne(name, given));
    }
    int value = environment.integer(variable, 0);
    return value == 0 ? missing : atLeastOne(variable, value);
  }

  /** What is wrong with a flag is wrong usage. */
  private <T> T flag(Supplier<T> value) {
    try {
      return value.get();
    } catch (PelicanException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** By default nine tenths of what the machine has, since the system needs its part. */
  private long memory(Environment environment) {
    if (memory != null) {
      return memory;
    }
    Optional<String> variable = environment.value("PELICAN_MEMORY");
    if (variable.isPresent()) {
      try {
        return ByteSize.parse(variable.get());
      } catch (PelicanException e) {
        throw new PelicanException("PELICAN_MEMORY: " + e.getMessage(), e);
      }
    }
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getTotalMemorySize() / 10 * 9
        : Long.MAX_VALUE;
  }

  private Optional<String> key(Environment environment) throws IOException {
    String key = apiKey;
    if (apiKeyFile != null) {
      key = Files.readString(apiKeyFile).strip();
    } else if (key == null) {
      key = environment.value("PELICAN_API_KEY").orElse(null);
    }
    if (key != null && key.isBlank()) {
      throw new PelicanException("the API key is empty, expected some characters");
    }
    return Optional.ofNullable(key);
  }
}
