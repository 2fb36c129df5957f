package pelican.server.inference;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import pelican.engine.Model;
import pelican.engine.Session;

/**
 * A model in memory with the sessions that earlier requests left, whose prompts need not be
 * computed again. Its fields are guarded by the scheduler's lock; its sessions by its own.
 */
final class LoadedModel {
  final CatalogEntry entry;
  final Model model;
  final long bytes;
  KeepAlive keepAlive;
  int active;
  boolean draining;
  long lastUsed;
  Instant expires = Instant.MAX;
  volatile int contextLength;

  private final List<Session> idle = new ArrayList<>();
  private final int most;

  LoadedModel(CatalogEntry entry, Model model, long bytes, int most, KeepAlive keepAlive) {
    this.entry = entry;
    this.model = model;
    this.bytes = bytes;
    this.most = most;
    this.keepAlive = keepAlive;
  }

  /**
   * The idle session that shares most with a prompt, or a new one. A session that shares little of
   * what it holds is another conversation: it is left to that one while there is room for more.
   */
  Session takeSession(int[] prompt, int wanted) {
    synchronized (idle) {
      contextLength = wanted;
      Session best = null;
      int most = 0;
      for (Session session : idle) {
        int shared = session.shared(prompt);
        if (session.contextLength() == wanted && shared > most) {
          best = session;
          most = shared;
        }
      }
      boolean same = best != null && 2 * most >= Math.min(best.length(), prompt.length);
      if (!same && idle.size() < this.most) {
        return model.newSession(wanted);
      }
      if (best == null) {
        idle.removeFirst();
        return model.newSession(wanted);
      }
      idle.remove(best);
      return best;
    }
  }

  void setKeepAlive(KeepAlive value) {
    keepAlive = value;
  }

  /** Keeps a session for later requests; the ones used longest ago go first. */
  void giveBack(Session session) {
    synchronized (idle) {
      idle.addLast(session);
      while (idle.size() > most) {
        idle.removeFirst();
      }
    }
  }
}
