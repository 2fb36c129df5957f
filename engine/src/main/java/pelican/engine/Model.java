package pelican.engine;

import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import pelican.chat.PromptRenderer;
import pelican.gemma.GemmaConfig;
import pelican.gemma.GemmaModel;
import pelican.gguf.GgufFile;
import pelican.kernel.KernelChoice;
import pelican.kernel.Kernels;
import pelican.kernel.ScalarKernels;
import pelican.kernel.Workers;
import pelican.sampling.SamplingOptions;
import pelican.tokenizer.TextSegment;
import pelican.tokenizer.Tokenizer;

/**
 * A Gemma 4 model from a GGUF file, ready to run. May be used by many threads; each conversation
 * has its own {@link Session} or {@link Chat}. What they ask for at the same time is computed
 * together.
 */
public final class Model implements AutoCloseable {
  private static final long LARGE_PARAMETERS = 12_000_000_000L;

  private static final AtomicBoolean WARNED = new AtomicBoolean();

  private final GgufFile file;
  private final Workers workers;
  private final Kernels kernels;
  private final GemmaModel gemma;
  private final ForwardLoop loop;
  private final Tokenizer tokenizer;
  private final ModelOptions options;
  private final SamplingOptions recommendedSampling;
  private final Duration loadTime;

  private Model(Path path, ModelOptions options) {
    long start = System.nanoTime();
    this.options = options;
    kernels = KernelChoice.choose(options.singlePrecision());
    warnIfSlow(kernels);
    file = GgufFile.open(path);
    Workers team = null;
    try {
      team = new Workers(options.threads());
      gemma = new GemmaModel(file, kernels, team);
      tokenizer = Tokenizer.from(file.metadata());
      recommendedSampling = RecommendedSampling.from(file.metadata());
      if (tokenizer.size() > gemma.vocabulary()) {
        throw new PelicanException(
            path
                + ": the tokenizer has "
                + tokenizer.size()
                + " tokens, but token_embd.weight only "
                + gemma.vocabulary());
      }
    } catch (RuntimeException | Error e) {
      if (team != null) {
        team.close();
      }
      file.close();
      if (e instanceof InternalError fault) {
        throw file.unreadable(fault);
      }
      throw e;
    }
    workers = team;
    loop = new ForwardLoop(gemma, file);
    loadTime = Duration.ofNanos(System.nanoTime() - start);
  }

  /** Says once, where nobody asked for it, that models run many times slower than they could. */
  private static void warnIfSlow(Kernels kernels) {
    boolean asked = System.getProperty(KernelChoice.PROPERTY, "auto").equals("scalar");
    if (kernels instanceof ScalarKernels && !asked && WARNED.compareAndSet(false, true)) {
      System.getLogger("pelican").log(Level.WARNING, "slow kernels: " + kernels.description());
    }
  }

  /**
   * Opens a model file. Weights are mapped, not copied, and read when first needed.
   *
   * @throws PelicanException if the file cannot be read, is damaged or of another architecture
   */
  public static Model load(Path path) {
    return load(path, ModelOptions.DEFAULT);
  }

  /** Opens a model file to be run with the given options. */
  public static Model load(Path path, ModelOptions options) {
    return new Model(path, options);
  }

  /** A session whose context is as long as the model was trained for, but at most 4,096 tokens. */
  public Session newSession() {
    return newSession(Math.min(4096, config().contextLength()));
  }

  /**
   * A session.
   *
   * @param contextLength the most tokens that prompt and answer may have together; memory is taken
   *     as they come
   * @throws PelicanException if the model was not trained for that many
   */
  public Session newSession(int contextLength) {
    if (contextLength < 1 || contextLength > config().contextLength()) {
      throw new PelicanException(
          "num_ctx is "
              + contextLength
              + ", expected 1 to "
              + config().contextLength()
              + ", the context that the model was trained for");
    }
    return new Session(this, gemma.newCache(contextLength, !options.singlePrecision()));
  }

  /** A conversation with the model. */
  public Chat chat() {
    return new Chat(this, newSession());
  }

  /** A conversation in a session of its own length. */
  public Chat chat(Session session) {
    return new Chat(this, session);
  }

  /** The tokens of a prompt that was rendered from a conversation. */
  public int[] encode(List<TextSegment> prompt) {
    return tokenizer.encode(prompt);
  }

  /** The tokens of a bare text, with the one that a sequence begins with. */
  public int[] encodeText(String text) {
    int[] ids = tokenizer.encode(text, false);
    if (!tokenizer.addBos()) {
      return ids;
    }
    int[] result = new int[ids.length + 1];
    result[0] = tokenizer.bos();
    System.arraycopy(ids, 0, result, 1, ids.length);
    return result;
  }

  /** Renders conversations as this model expects them: the large models differ a little. */
  public PromptRenderer promptRenderer() {
    String name = file.metadata().string("general.name", "").toLowerCase(Locale.ROOT);
    if (name.contains("e2b") || name.contains("e4b")) {
      return new PromptRenderer(false);
    }
    boolean named = name.contains("12b") || name.contains("26b") || name.contains("31b");
    return new PromptRenderer(named || parameters() >= LARGE_PARAMETERS);
  }

  /** The number of weights. */
  public long parameters() {
    return file.tensors().values().stream().mapToLong(t -> t.columns() * t.rows()).sum();
  }

  /** Bytes of weights that the computation of one token reads: all but rows that are looked up. */
  public long bytesPerToken() {
    return weightCounts().bytesPerToken();
  }

  /** Weights that take part in the computation of one token. */
  public long weightsPerToken() {
    return weightCounts().perToken();
  }

  /**
   * Weights that take part in the computation of a prompt's token whose logits are not wanted:
   * those up to the last keys and values that later tokens attend to.
   */
  public long weightsPerPromptToken() {
    return weightCounts().perPromptToken();
  }

  private WeightCounts weightCounts() {
    return new WeightCounts(file, config());
  }

  /** The number of tokens that the model knows: the length of a row of logits. */
  public int vocabulary() {
    return gemma.vocabulary();
  }

  /** How the file recommends to sample; where it does not say, as Gemma's authors recommend. */
  public SamplingOptions recommendedSampling() {
    return recommendedSampling;
  }

  /** The width of the residual stream: the length of an embedding. */
  public int embeddingLength() {
    return config().embedding();
  }

  /** The longest context that the model was trained for. */
  public int contextLength() {
    return config().contextLength();
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** The most bytes that a session of so many tokens takes for keys and values. */
  public long sessionBytes(int contextLength) {
    return gemma.cacheBytes(contextLength, !options.singlePrecision());
  }

  /** Bytes of the file, which are mapped and read as they are needed. */
  public long fileBytes() {
    return file.size();
  }

  /** The file. */
  public Path path() {
    return file.path();
  }

  /** Which kernels this JVM runs models with and why. */
  public static String kernelDescription() {
    return KernelChoice.choose().description();
  }

  /** Which kernels run and why. */
  public String kernels() {
    return kernels.description() + ", " + options.threads() + " threads";
  }

  /** How long opening the file took. */
  public Duration loadTime() {
    return loadTime;
  }

  ForwardLoop loop() {
    return loop;
  }

  private GemmaConfig config() {
    return gemma.config();
  }

  /** Ends running generations with an error and unmaps the file. */
  @Override
  public void close() {
    loop.close();
    workers.close();
    file.close();
  }
}
