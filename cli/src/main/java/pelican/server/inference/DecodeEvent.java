package pelican.server.inference;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The generation of an answer after its first token, for Java Flight Recorder. */
@Name("pelican.Decode")
@Label("Decode")
@Category("Pelican")
@StackTrace(false)
final class DecodeEvent extends Event {
  @Label("Model")
  String model;

  @Label("Tokens generated")
  int tokens;

  @Label("Cancelled")
  boolean cancelled;
}
