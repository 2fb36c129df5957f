package pelican.server.inference;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import pelican.engine.Model;
import pelican.engine.ModelMemory;
import pelican.engine.Session;

/**
 * A model in memory with the sessions that earlier requests left, whose prompts need not be
 * computed again. All of it is guarded by the scheduler's lock.
 */
final class LoadedModel {
  final CatalogEntry entry;
  final Model model;
  final ModelMemory memory;

  /** Bytes that it takes without any session. */
  final long fixed;

  KeepAlive keepAlive;
  int active;

  /** Bytes that the sessions of active requests may take. */
  long reserved;

  boolean draining;
  long lastUsed;
  Instant expires = Instant.MAX;
  int contextLength;

  private final List<Session> idle = new ArrayList<>();
  private final int most;

  /**
   * @param fixed bytes that it takes without any session
   * @param most sessions at once, in use or idle
   */
  LoadedModel(
      CatalogEntry entry,
      Model model,
      ModelMemory memory,
      long fixed,
      int most,
      KeepAlive keepAlive) {
    this.entry = entry;
    this.model = model;
    this.memory = memory;
    this.fixed = fixed;
    this.most = most;
    this.keepAlive = keepAlive;
  }

  /** Bytes that it takes or may take: weights, buffers, sessions. */
  long bytes() {
    long sum = fixed + reserved;
    for (Session session : idle) {
      sum += memory.session(session.contextLength());
    }
    return sum;
  }

  /**
   * The idle session that shares most with a prompt, or a new one. A session that shares little of
   * what it holds is another conversation: it is left to that one while there is room for more.
   */
  Session takeSession(int[] prompt, int wanted) {
    Session best = null;
    int shares = 0;
    for (Session session : idle) {
      int shared = session.shared(prompt);
      if (session.contextLength() == wanted && shared > shares) {
        best = session;
        shares = shared;
      }
    }
    boolean same = best != null && 2 * shares >= Math.min(best.length(), prompt.length);
    boolean room = idle.size() + active <= most;
    if (same || !room && best != null) {
      idle.remove(best);
      return best;
    }
    return newSession(wanted);
  }

  /** A session that holds nothing; the one used longest ago makes room for it. */
  Session newSession(int wanted) {
    while (!idle.isEmpty() && idle.size() + active > most) {
      dropSession();
    }
    return model.newSession(wanted);
  }

  /** Forgets the idle session used longest ago; says whether there was one. */
  boolean dropSession() {
    return !idle.isEmpty() && idle.removeFirst() != null;
  }

  /** Keeps a session for later requests. */
  void giveBack(Session session) {
    idle.addLast(session);
  }
}
