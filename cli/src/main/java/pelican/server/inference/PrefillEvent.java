package pelican.server.inference;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The computation of a prompt, until its first token is drawn, for Java Flight Recorder. */
@Name("pelican.Prefill")
@Label("Prefill")
@Category("Pelican")
@StackTrace(false)
final class PrefillEvent extends Event {
  @Label("Model")
  String model;

  @Label("Prompt tokens")
  int promptTokens;

  @Label("Prompt tokens computed before")
  int cachedTokens;

  void report(CatalogEntry entry, int tokens, int cached) {
    if (shouldCommit()) {
      model = entry.display();
      promptTokens = tokens;
      cachedTokens = cached;
      commit();
    }
  }
}
