package pelican.server.inference;

import java.util.Locale;

/** What a model can be used for. */
public enum Capability {
  COMPLETION,
  EMBEDDING,
  TOOLS,
  THINKING;

  /** As clients know it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
