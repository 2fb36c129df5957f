package pelican.server.inference;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** An answer, for Java Flight Recorder. */
@Name("pelican.Answer")
@Label("Answer")
@Category("Pelican")
@StackTrace(false)
final class AnswerEvent extends Event {
  @Label("Model")
  String model;

  @Label("Prompt tokens")
  int promptTokens;

  @Label("Prompt tokens computed before")
  int cachedTokens;

  @Label("Prefill")
  @Timespan(Timespan.NANOSECONDS)
  long prefill;

  @Label("Tokens generated")
  int tokens;

  @Label("Decode")
  @Timespan(Timespan.NANOSECONDS)
  long decode;
}
