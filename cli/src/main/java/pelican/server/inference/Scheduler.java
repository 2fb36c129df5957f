package pelican.server.inference;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import pelican.engine.Model;
import pelican.engine.ModelOptions;
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
   * @param memory bytes that models and their sessions may take together
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
  private final Deque<Ticket> waiting = new ArrayDeque<>();
  private final Thread reaper;
  private boolean closed;

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

    private Lease(LoadedModel model) {
      this.model = model;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        model.active--;
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

  /**
   * Waits for a turn with a model, which is loaded first if it has to be.
   *
   * @throws ApiException of status 503 if too many wait, of 499 if the caller goes, of 500 if the
   *     model does not fit the memory
   */
  Lease acquire(CatalogEntry entry, Optional<KeepAlive> keepAlive, Caller caller) {
    Path key = entry.file();
    Ticket ticket = new Ticket(key);
    lock.lock();
    try {
      boolean first = waiting.stream().noneMatch(other -> other.key.equals(key));
      LoadedModel ready = first ? turn(key) : null;
      if (ready == null) {
        if (waiting.size() >= limits.maxQueue() && !(first && canLoad(entry))) {
          throw new ApiException(503, BUSY);
        }
        waiting.addLast(ticket);
        try {
          ready = await(entry, key, ticket, keepAlive, caller);
        } finally {
          waiting.removeIf(other -> other == ticket);
          changed.signalAll();
        }
      }
      keepAlive.ifPresent(ready::setKeepAlive);
      ready.active++;
      return new Lease(ready);
    } finally {
      lock.unlock();
    }
  }

  private boolean canLoad(CatalogEntry entry) {
    return !loaded.containsKey(entry.file())
        && !loading.contains(entry.file())
        && fits(need(entry));
  }

  private LoadedModel await(
      CatalogEntry entry, Path key, Ticket ticket, Optional<KeepAlive> keepAlive, Caller caller) {
    while (true) {
      if (closed) {
        throw new ApiException(503, "the server is shutting down");
      }
      if (caller.gone()) {
        throw new ApiException(ApiException.CLIENT_CLOSED_REQUEST, "request canceled");
      }
      if (isFirst(key, ticket)) {
        LoadedModel ready = turn(key);
        if (ready != null) {
          return ready;
        }
        if (!loaded.containsKey(key) && !loading.contains(key) && makeRoom(need(entry))) {
          return load(entry, key, keepAlive.orElse(limits.keepAlive()));
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

  private LoadedModel turn(Path key) {
    LoadedModel model = loaded.get(key);
    boolean free = model != null && !model.draining && model.active < limits.parallel();
    return !closed && free ? model : null;
  }

  private long need(CatalogEntry entry) {
    return entry.facts().bytes();
  }

  private long taken() {
    long sum = 0;
    for (LoadedModel model : loaded.values()) {
      sum += model.bytes;
    }
    for (long bytes : reserved.values()) {
      sum += bytes;
    }
    return sum;
  }

  private boolean fits(long need) {
    return loaded.size() + loading.size() < limits.maxLoaded() && need <= limits.memory() - taken();
  }

  /** Unloads models that nobody uses until another fits; says whether it does. */
  private boolean makeRoom(long need) {
    if (need > limits.memory()) {
      throw new ApiException(
          500,
          "model requires more system memory ("
              + gibibytes(need)
              + ") than is available ("
              + gibibytes(limits.memory())
              + ")");
    }
    while (!fits(need)) {
      List<LoadedModel> idle =
          new ArrayList<>(loaded.values().stream().filter(m -> m.active == 0).toList());
      if (idle.isEmpty()) {
        // The next to become idle must not be taken again before it has made room.
        loaded.values().stream()
            .min(Comparator.comparingLong(m -> m.lastUsed))
            .ifPresent(m -> m.draining = true);
        return false;
      }
      idle.sort(Comparator.comparingLong(m -> m.lastUsed));
      unload(idle.getFirst());
    }
    loaded.values().forEach(model -> model.draining = false);
    return true;
  }

  private static String gibibytes(long bytes) {
    return String.format(java.util.Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }

  /** Loads without the lock, so that others go on. */
  private LoadedModel load(CatalogEntry entry, Path key, KeepAlive keepAlive) {
    loading.add(key);
    reserved.put(key, need(entry));
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
    event.bytes = need(entry);
    event.commit();
    int context = Math.min(limits.contextLength(), model.contextLength());
    LoadedModel result = new LoadedModel(entry, model, need(entry), limits.parallel(), keepAlive);
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
                  m.bytes + m.model.sessionBytes(m.contextLength) * limits.parallel(),
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
