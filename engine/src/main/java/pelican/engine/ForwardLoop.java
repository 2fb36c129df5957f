package pelican.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import pelican.gemma.Batch;
import pelican.gemma.GemmaModel;
import pelican.gemma.KvCache;
import pelican.gguf.GgufFile;

/**
 * Runs forward passes for all sessions of a model on one thread. What sessions ask for at the same
 * time goes into one batch, so that each weight is read once for all of them; a long prompt goes in
 * slices, between which others take part.
 *
 * <p>Whoever generates comes back with its next token shortly after a pass. If those who waited
 * meanwhile, or the first to come back, were taken alone, all others would wait for them and share
 * only every second pass, so the loop waits for all whom it served, but no longer than a part of
 * what the pass took.
 */
final class ForwardLoop implements AutoCloseable {
  /**
   * Tokens of a pass: more read the weights less often, fewer let others and cancellation wait
   * less.
   */
  static final int SLICE = 256;

  /** The part of a pass's time that the loop waits for those who took part in it. */
  private static final int WAITED_PART = 4;

  private final GemmaModel model;
  private final GgufFile file;
  private final Queue<Request> requests = new ArrayDeque<>();
  private final Thread thread;
  private boolean closed;

  /** Sequences that the last pass gave logits to and that may come back, guarded by the queue. */
  private final Set<KvCache> served = new HashSet<>();

  /** When the last pass ended, and what it took. */
  private long passEnd;

  private long passNanos;

  /** Tokens to append to a sequence. */
  private static final class Request {
    final KvCache cache;
    final int[] tokens;
    final int from;
    final boolean all;
    final float[] logits;

    /** Gets the sum of the final hidden states instead of logits; or null. */
    final double[] states;

    final BooleanSupplier cancelled;
    final CompletableFuture<Integer> done = new CompletableFuture<>();
    int next;
    int inBatch;

    Request(
        KvCache cache,
        int[] tokens,
        int from,
        boolean all,
        float[] logits,
        double[] states,
        BooleanSupplier cancelled) {
      this.cache = cache;
      this.tokens = tokens;
      this.from = from;
      this.all = all;
      this.logits = logits;
      this.states = states;
      this.cancelled = cancelled;
      next = from;
    }
  }

  /** Starts the thread; errors name the file that the weights are mapped from. */
  ForwardLoop(GemmaModel model, GgufFile file) {
    this.model = model;
    this.file = file;
    thread = Thread.ofPlatform().daemon().name("pelican-forward").start(this::loop);
  }

  /**
   * Appends the tokens from {@code from} on to a sequence and gives the logits after the last one,
   * or after each.
   *
   * @param logits gets [1 or number of tokens][vocabulary]
   * @param cancelled asked between slices
   * @return the index after the last token that was appended: less than all if cancelled
   */
  int run(
      KvCache cache,
      int[] tokens,
      int from,
      boolean all,
      float[] logits,
      BooleanSupplier cancelled) {
    if (from == tokens.length) {
      return from;
    }
    return run(new Request(cache, tokens, from, all, logits, null, cancelled));
  }

  /**
   * Appends tokens to a sequence and adds up the final hidden states after each.
   *
   * @param states gets the sum, [embedding]
   * @return the number of tokens that were appended: less than all if cancelled
   */
  int sumStates(KvCache cache, int[] tokens, double[] states, BooleanSupplier cancelled) {
    return run(new Request(cache, tokens, 0, true, null, states, cancelled));
  }

  private int run(Request request) {
    synchronized (requests) {
      if (closed) {
        throw new PelicanException("the model is closed");
      }
      served.remove(request.cache);
      requests.add(request);
      requests.notifyAll();
    }
    try {
      return request.done.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        default -> throw e;
      }
    }
  }

  /** Says that a sequence has all that it wants, so that others need not wait for it. */
  void leave(KvCache cache) {
    synchronized (requests) {
      served.remove(cache);
      requests.notifyAll();
    }
  }

  private void loop() {
    List<Request> active = new ArrayList<>();
    Batch batch = new Batch();
    while (true) {
      synchronized (requests) {
        while (requests.isEmpty() && active.isEmpty() && !closed) {
          await(0);
        }
        long left = passEnd + passNanos / WAITED_PART - System.nanoTime();
        while (!served.isEmpty() && left > 0 && !closed) {
          await(left);
          left = passEnd + passNanos / WAITED_PART - System.nanoTime();
        }
        served.clear();
        active.addAll(requests);
        requests.clear();
        if (closed) {
          PelicanException error = new PelicanException("the model is closed");
          active.forEach(request -> request.done.completeExceptionally(error));
          return;
        }
      }
      active.removeIf(
          request -> request.cancelled.getAsBoolean() && request.done.complete(request.next));
      if (!active.isEmpty()) {
        pass(active, batch);
      }
    }
  }

  /** Waits for a request, at most for so long; 0 is for ever. */
  private void await(long nanos) {
    try {
      // rounded up, since a wait of 0 ms is one without an end
      requests.wait((nanos + 999_999) / 1_000_000);
    } catch (InterruptedException e) {
      closed = true;
    }
  }

  private void pass(List<Request> active, Batch batch) {
    long start = System.nanoTime();
    fill(active, batch.clear());
    try {
      boolean logits = active.stream().anyMatch(request -> request.states == null);
      float[] result = model.forward(batch, logits);
      int row = 0;
      int vocabulary = model.vocabulary();
      for (Request request : active) {
        boolean last = request.next + request.inBatch == request.tokens.length;
        int rows = request.all ? request.inBatch : last && request.inBatch > 0 ? 1 : 0;
        int to = request.all ? (request.next - request.from) * vocabulary : 0;
        if (request.states != null) {
          add(model.states(), row, rows, request.states);
        } else {
          System.arraycopy(result, row * vocabulary, request.logits, to, rows * vocabulary);
        }
        row += rows;
        request.next += request.inBatch;
      }
      finish(active, System.nanoTime() - start);
    } catch (RuntimeException | Error e) {
      Throwable told = e instanceof InternalError fault ? file.unreadable(fault) : e;
      active.forEach(request -> request.done.completeExceptionally(told));
      active.clear();
    }
  }

  /** Answers those whose tokens are all computed. */
  private void finish(List<Request> active, long nanos) {
    List<Request> finished =
        active.stream().filter(request -> request.next == request.tokens.length).toList();
    active.removeAll(finished);
    passNanos = nanos;
    passEnd = System.nanoTime();
    synchronized (requests) {
      for (Request request : finished) {
        if (!request.all) {
          served.add(request.cache);
        }
      }
    }
    finished.forEach(request -> request.done.complete(request.next));
  }

  private static void add(float[] states, int row, int rows, double[] sum) {
    for (int i = row * sum.length; i < (row + rows) * sum.length; i++) {
      sum[i % sum.length] += states[i];
    }
  }

  /** Shares a slice: everyone gets a token, so that nobody waits, then prompts take the rest. */
  private static void fill(List<Request> active, Batch batch) {
    int left = Math.max(SLICE, active.size());
    left = Math.min(left, GemmaModel.MAX_BATCH);
    int waiting = active.size();
    for (Request request : active) {
      waiting--;
      int wanted = request.tokens.length - request.next;
      request.inBatch = Math.max(0, Math.min(wanted, left - Math.min(waiting, left - 1)));
      if (left == 0) {
        request.inBatch = 0;
      }
      left -= request.inBatch;
      for (int i = request.next; i < request.next + request.inBatch; i++) {
        batch.add(request.cache, request.tokens[i], request.all || i + 1 == request.tokens.length);
      }
    }
  }

  /** Fails what is waiting and ends the thread. */
  @Override
  public void close() {
    synchronized (requests) {
      closed = true;
      requests.notifyAll();
    }
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
