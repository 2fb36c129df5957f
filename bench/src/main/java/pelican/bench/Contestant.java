package pelican.bench;

import java.util.List;
import pelican.engine.PelicanException;

/** An engine that measures itself, in a process of its own each time. */
interface Contestant {
  String name();

  /**
   * The command that measures a case.
   *
   * @param runs how often it is timed
   * @param warmUp whether a run that does not count comes before
   */
  List<String> command(SpeedCase test, int runs, boolean warmUp);

  /**
   * The tokens a second that the command printed, the median of its runs.
   *
   * @throws PelicanException if it printed something else
   */
  double rate(SpeedCase test, String output);

  /** Runs the command. */
  default double measure(SpeedCase test, int runs) {
    return rate(test, Programs.output(name(), command(test, runs, true)));
  }
}
