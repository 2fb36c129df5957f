package pelican.server.inference;

import java.util.function.Consumer;
import pelican.engine.FinishReason;
import pelican.engine.GeneratedToken;
import pelican.engine.Generation;
import pelican.engine.Session;

/**
 * Takes the tokens of an answer as they come. Asks after each whether somebody still waits, so that
 * no further one is computed for nobody, and times the phases for Java Flight Recorder.
 */
final class Listening implements Consumer<GeneratedToken> {
  private final AnswerCollector collector;
  private final Caller caller;
  private final Session session;
  private final PrefillEvent prefill = new PrefillEvent();
  private final DecodeEvent decode = new DecodeEvent();

  /** Tokens that have come. */
  int tokens;

  Listening(AnswerCollector collector, Caller caller, Session session) {
    this.collector = collector;
    this.caller = caller;
    this.session = session;
    prefill.begin();
  }

  @Override
  public void accept(GeneratedToken token) {
    if (tokens == 0) {
      prefill.end();
      decode.begin();
    }
    // What is left of stop strings comes without a token.
    tokens += token.id() < 0 ? 0 : 1;
    collector.token(token);
    if (caller.gone()) {
      session.cancel();
    }
  }

  void report(CatalogEntry entry, Generation generation) {
    if (tokens > 0 && decode.shouldCommit()) {
      decode.model = entry.display();
      decode.tokens = tokens;
      decode.cancelled = generation.reason() == FinishReason.CANCELLED;
      decode.commit();
    }
    prefill.report(entry, generation.promptTokens(), generation.cachedTokens());
  }
}
