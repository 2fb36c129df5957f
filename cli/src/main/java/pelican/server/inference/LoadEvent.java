package pelican.server.inference;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The loading of a model, for Java Flight Recorder. */
@Name("pelican.Load")
@Label("Load")
@Category("Pelican")
@StackTrace(false)
final class LoadEvent extends Event {
  @Label("Model")
  String model;

  @Label("Weights")
  @DataAmount
  long bytes;
}
