package pelican.server.inference;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.stream.Stream;
import pelican.engine.Model;
import pelican.engine.ModelMemory;
import pelican.engine.ModelOptions;
import pelican.engine.Session;
import pelican.server.http.ApiException;

/**
 * Which models are in memory, and whose turn it is. Requests for one model run at once up to a
 * limit, others wait in the order of their coming; the model used longest ago makes room for
 * another as soon as nobody uses it.
 */
public final class Scheduler implements AutoCloseable {
  private static final String BUSY =
      "server busy, please try again.  maximum pending requests exceeded";

  /**
   * Limits.
   *
   * @param parallel requests that one model answers at once
   * @param maxLoaded models in memory at once
   * @param maxQueue requests that may wait
   * @param memory bytes that weights, buffers and sessions of all models may take together
   * @param keepAlive how long a model stays unless a request says otherwise
   * @param contextLength tokens of context unless a request says otherwise
   * @param model how models are run
   */
  public record Limits(
      int parallel,
      int maxLoaded,
      int maxQueue,
      long memory,
      KeepAlive keepAlive,
      int contextLength,
      ModelOptions model) {}

  /** A loaded model as {@code ps} shows it; {@code expires} is null for never. */
  public record Running(CatalogEntry entry, long bytes, Instant expires, int contextLength) {}

  /** A request that waits; each is an object of its own. */
  private static final class Ticket {
    final Path key;

    Ticket(Path key) {
      this.key = key;
    }
  }

  private final Limits limits;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition changed = lock.newCondition();
  private final Map<Path, LoadedModel> loaded = new HashMap<>();
  private final Set<Path> loading = new HashSet<>();
  private final Map<Path, Long> reserved = new HashMap<>();
  private final Map<String, ModelMemory> needs = new ConcurrentHashMap<>();
  private final Deque<Ticket> waiting = new ArrayDeque<>();
  private final Thread reaper;
  private boolean closed;
  private long evictions;

  public Scheduler(Limits limits) {
    this.limits = limits;
    reaper = Thread.ofPlatform().daemon().name("pelican-reaper").start(this::reap);
  }

  public Limits limits() {
    return limits;
  }

  /** A turn: the model stays loaded until it is closed. */
  final class Lease implements AutoCloseable {
    final LoadedModel model;
    private long bytes;

    private Lease(LoadedModel model, long bytes) {
      this.model = model;
      this.bytes = bytes;
      model.active++;
      model.reserved += bytes;
    }

    /** The session to answer a prompt in; of at most the context that the turn was for. */
    Session takeSession(int[] prompt, int context) {
      lock.lock();
      try {
        model.contextLength = context;
        return model.takeSession(prompt, context);
      } finally {
        lock.unlock();
      }
    }

    /** A session for this turn alone: those of conversations are worth more. */
    Session newSession(int context) {
      lock.lock();
      try {
        return model.newSession(context);
      } finally {
        lock.unlock();
      }
    }

    /** Keeps the turn's session for later requests; its memory counts as the session's from now. */
    void giveBack(Session session) {
      lock.lock();
      try {
        model.giveBack(session);
        model.reserved -= bytes;
        bytes = 0;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {
      lock.lock();
      try {
        model.active--;
        model.reserved -= bytes;
        model.lastUsed = System.nanoTime();
        KeepAlive keep = model.keepAlive;
        model.expires = keep.isForever() ? Instant.MAX : Instant.now().plus(keep.duration());
        removeExpired();
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** What a turn takes: of the model, and of a session. */
  private record Need(ModelMemory memory, long fixed, long session) {}

  /**
   * Waits for a turn with a model, which is loaded first if it has to be.
   *
   * @param context tokens of the session that the turn is for; 0 if it is for none
   * @throws ApiException of status 503 if too many wait, or if model and session would not fit the
   *     memory even alone; of 499 if the caller goes
   */
  Lease acquire(CatalogEntry entry, int context, Optional<KeepAlive> keepAlive, Caller caller) {
    Path key = entry.file();
    Ticket ticket = new Ticket(key);
    Need need = need(entry, context);
    lock.lock();
    try {
      boolean first = waiting.stream().noneMatch(other -> other.key.equals(key));
      LoadedModel ready = first ? turn(key, need) : null;
      if (ready == null) {
        if (waiting.size() >= limits.maxQueue() && !(first && canLoad(key, need))) {
          throw new ApiException(503, BUSY);
        }
        waiting.addLast(ticket);
        try {
          ready = await(entry, need, ticket, keepAlive, caller);
        } finally {
          waiting.removeIf(other -> other == ticket);
          changed.signalAll();
        }
      }
      LoadedModel model = ready;
      keepAlive.ifPresent(value -> model.keepAlive = value);
      return new Lease(model, need.session());
    } finally {
      lock.unlock();
    }
  }

  /** Without the lock: it reads the file's header, once for each file. */
  private Need need(CatalogEntry entry, int context) {
    ModelMemory memory =
        needs.computeIfAbsent(
            entry.digest(), digest -> ModelMemory.of(entry.file(), limits.model()));
    long fixed = memory.weights() + memory.buffers(limits.parallel());
    long session = context == 0 ? 0 : memory.session(context);
    if (fixed + session > limits.memory()) {
      throw new ApiException(
          503,
          "model requires more system memory ("
              + gibibytes(fixed + session)
              + (context == 0 ? "" : " with a context of " + context + " tokens")
              + ") than is available ("
              + gibibytes(limits.memory())
              + ")");
    }
    return new Need(memory, fixed, session);
  }

  private boolean canLoad(Path key, Need need) {
    return !loaded.containsKey(key)
        && !loading.contains(key)
        && loaded.size() + loading.size() < limits.maxLoaded()
        && fits(need.fixed() + need.session());
  }

  private LoadedModel await(
      CatalogEntry entry, Need need, Ticket ticket, Optional<KeepAlive> keepAlive, Caller caller) {
    Path key = entry.file();
    while (true) {
      if (closed) {
        throw new ApiException(503, "the server is shutting down");
      }
      if (caller.gone()) {
        throw new ApiException(ApiException.CLIENT_CLOSED_REQUEST, "request canceled");
      }
      if (isFirst(key, ticket)) {
        LoadedModel ready = turn(key, need);
        if (ready != null) {
          return ready;
        }
        if (!loaded.containsKey(key) && !loading.contains(key) && makeRoomForModel(need)) {
          return load(entry, need, keepAlive.orElse(limits.keepAlive()));
        }
      }
      try {
        changed.await(20, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ApiException(503, "the server is shutting down");
      }
    }
  }

  private boolean isFirst(Path key, Ticket ticket) {
    for (Ticket other : waiting) {
      if (other.key.equals(key)) {
        return other == ticket;
      }
    }
    return true;
  }

  private LoadedModel turn(Path key, Need need) {
    LoadedModel model = loaded.get(key);
    boolean free = model != null && !model.draining && model.active < limits.parallel();
    return !closed && free && makeRoomForSession(model, need.session()) ? model : null;
  }

  private long taken() {
    long sum = 0;
    for (LoadedModel model : loaded.values()) {
      sum += model.bytes();
    }
    for (long bytes : reserved.values()) {
      sum += bytes;
    }
    return sum;
  }

  private boolean fits(long need) {
    return need <= limits.memory() - taken();
  }

  /** Forgets idle sessions, the oldest first, then unloads models that nobody uses. */
  private boolean makeRoomForSession(LoadedModel own, long need) {
    while (!fits(need)) {
      if (byUse(model -> true).noneMatch(LoadedModel::dropSession) && !evict(own)) {
        drain(own);
        return false;
      }
    }
    return true;
  }

  /** Unloads models that nobody uses until another fits; says whether it does. */
  private boolean makeRoomForModel(Need need) {
    while (loaded.size() + loading.size() >= limits.maxLoaded()) {
      if (!evict(null)) {
        drain(null);
        return false;
      }
    }
    while (!fits(need.fixed() + need.session())) {
      if (!evict(null) && byUse(model -> true).noneMatch(LoadedModel::dropSession)) {
        drain(null);
        return false;
      }
    }
    loaded.values().forEach(model -> model.draining = false);
    return true;
  }

  /** Models, the one used longest ago first. */
  private Stream<LoadedModel> byUse(Predicate<LoadedModel> which) {
    return List.copyOf(loaded.values()).stream()
        .filter(which)
        .sorted(Comparator.comparingLong(model -> model.lastUsed));
  }

  /** Unloads the model used longest ago that nobody uses; says whether there was one. */
  private boolean evict(LoadedModel but) {
    Optional<LoadedModel> oldest = byUse(m -> m.active == 0 && m != but).findFirst();
    oldest.ifPresent(model -> {
      unload(model);
      evictions++;
    });
    return oldest.isPresent();
  }

  /** The next model to become idle must not be taken again before it has made room. */
  private void drain(LoadedModel but) {
    byUse(model -> model != but).findFirst().ifPresent(model -> model.draining = true);
  }

  private static String gibibytes(long bytes) {
    return String.format(java.util.Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }

  /** Loads without the lock, so that others go on. */
  private LoadedModel load(CatalogEntry entry, Need need, KeepAlive keepAlive) {
    Path key = entry.file();
    loading.add(key);
    reserved.put(key, need.fixed() + need.session());
    lock.unlock();
    Model model = null;
    LoadEvent event = new LoadEvent();
    event.begin();
    try {
      model = Model.load(entry.file(), limits.model());
    } finally {
      lock.lock();
      loading.remove(key);
      reserved.remove(key);
      changed.signalAll();
    }
    event.model = entry.display();
    event.bytes = need.memory().weights();
    event.commit();
    int context = Math.min(limits.contextLength(), model.contextLength());
    LoadedModel result =
        new LoadedModel(entry, model, need.memory(), need.fixed(), limits.parallel(), keepAlive);
    result.contextLength = context;
    loaded.put(key, result);
    return result;
  }

  private void unload(LoadedModel model) {
    loaded.remove(model.entry.file());
    model.model.close();
  }

  private void removeExpired() {
    Instant now = Instant.now();
    for (LoadedModel model : List.copyOf(loaded.values())) {
      boolean due = !model.expires.isAfter(now) || model.draining;
      if (model.active == 0 && due && model.lastUsed != 0) {
        unload(model);
      }
    }
  }

  private void reap() {
    lock.lock();
    try {
      while (!closed) {
        removeExpired();
        changed.await(200, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Unloads a model as soon as nobody uses it. */
  public void unload(Path file) {
    lock.lock();
    try {
      LoadedModel model = loaded.get(file);
      if (model != null) {
        model.keepAlive = KeepAlive.ZERO;
        model.expires = Instant.MIN;
        removeExpired();
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The loaded models, the one that stays longest first. */
  public List<Running> running() {
    lock.lock();
    try {
      return loaded.values().stream()
          .sorted(Comparator.comparing((LoadedModel m) -> expiry(m)).reversed())
          .map(m ->
              new Running(
                  m.entry,
                  m.bytes(),
                  expiry(m).equals(Instant.MAX) ? null : expiry(m),
                  m.contextLength))
          .toList();
    } finally {
      lock.unlock();
    }
  }

  private static Instant expiry(LoadedModel model) {
    if (model.active > 0 && !model.keepAlive.isForever()) {
      return Instant.now().plus(model.keepAlive.duration());
    }
    return model.expires;
  }

  /** Bytes that weights, buffers and sessions take, or may take while requests are answered. */
  public long memory() {
    lock.lock();
    try {
      return taken();
    } finally {
      lock.unlock();
    }
  }

  /** How many models were unloaded to make room for another. */
  public long evictions() {
    lock.lock();
    try {
      return evictions;
    } finally {
      lock.unlock();
    }
  }

  /** The number of requests that wait. */
  public int pending() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /** Refuses what waits, waits for those who have a turn, and unloads everything. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
      long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
      while (loaded.values().stream().anyMatch(m -> m.active > 0) && System.nanoTime() < end) {
        changed.await(100, TimeUnit.MILLISECONDS);
      }
      List.copyOf(loaded.values()).stream().filter(m -> m.active == 0).forEach(this::unload);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
    reaper.interrupt();
  }
}
