package pelican.server.inference;

import java.util.Set;
import pelican.sampling.TokenConstraint;
import pelican.tokenizer.Tokenizer;

/**
 * Lets a model think freely and constrains what it says afterwards. A thought may only stand at the
 * beginning, between {@code <|channel>} and {@code <channel|>}.
 */
final class AfterThought implements TokenConstraint {
  private enum State {
    BEGINNING,
    THINKING,
    SPEAKING
  }

  private final TokenConstraint constraint;
  private final int open;
  private final int close;
  private final Set<Integer> ends;
  private State state;

  /**
   * @param inThought whether the prompt ended within a thought
   */
  AfterThought(TokenConstraint constraint, Tokenizer tokenizer, boolean inThought) {
    this.constraint = constraint;
    open = tokenizer.id("<|channel>");
    close = tokenizer.id("<channel|>");
    ends = tokenizer.endOfGeneration();
    state = inThought && close >= 0 ? State.THINKING : State.BEGINNING;
  }

  @Override
  public void mask(float[] logits, int offset, int vocabulary) {
    switch (state) {
      case BEGINNING -> {
        boolean canThink = canThink();
        float thought = canThink ? logits[offset + open] : 0;
        constraint.mask(logits, offset, vocabulary);
        if (canThink) {
          logits[offset + open] = thought;
        }
      }
      case THINKING -> {
        // Ending here would leave the answer without what was asked for.
        for (int end : ends) {
          logits[offset + end] = Float.NEGATIVE_INFINITY;
        }
      }
      case SPEAKING -> constraint.mask(logits, offset, vocabulary);
    }
  }

  private boolean canThink() {
    return open >= 0 && close >= 0;
  }

  @Override
  public boolean allows(int token) {
    return switch (state) {
      case BEGINNING -> token == open && canThink() || constraint.allows(token);
      case THINKING -> !ends.contains(token);
      case SPEAKING -> constraint.allows(token);
    };
  }

  @Override
  public void accept(int token) {
    switch (state) {
      case BEGINNING -> {
        if (token == open) {
          state = State.THINKING;
          constraint.skip();
        } else {
          state = State.SPEAKING;
          constraint.accept(token);
        }
      }
      case THINKING -> {
        state = token == close ? State.SPEAKING : State.THINKING;
        constraint.skip();
      }
      case SPEAKING -> constraint.accept(token);
    }
  }
}
