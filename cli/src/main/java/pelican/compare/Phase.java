package pelican.compare;

import java.util.Locale;

/** The parts of a comparison, in their order. */
public enum Phase {
  WEIGHTS("the weights' errors"),
  QUALITY("the divergence of probabilities"),
  BEHAVIOUR("the answers"),
  SPEED("the speed");

  private final String what;

  Phase(String what) {
    this.what = what;
  }

  /** What the part shows. */
  String what() {
    return what;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
