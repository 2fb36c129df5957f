package pelican.grammar;

import java.util.Map;
import java.util.WeakHashMap;
import pelican.sampling.TokenConstraint;
import pelican.tokenizer.Tokenizer;

/**
 * The JSON texts that a schema allows, or enough of them: compact, properties in the schema's
 * order, of bounded size, numbers without exponents. Every text is valid; not every valid text is
 * one of them. May be used by many threads; what it has found out of a vocabulary for one answer
 * serves the next.
 */
public final class JsonGrammar {
  private final Node root;
  private final Map<Tokenizer, MaskCache> masks = new WeakHashMap<>();

  private JsonGrammar(Node root) {
    this.root = root;
  }

  /**
   * The grammar of a schema.
   *
   * @param schema maps, lists, strings, numbers, booleans and null; an empty map for any object
   * @throws SchemaException if the schema is wrong or has what is not supported
   */
  public static JsonGrammar of(Map<String, ?> schema) {
    return new JsonGrammar(
        schema.isEmpty()
            ? AnyValue.object(AnyValue.ofDepth(AnyValue.DEPTH - 1))
            : new SchemaCompiler(schema).compile());
  }

  /**
   * A constraint for one answer.
   *
   * @param tokens the most tokens that the answer may have
   * @throws pelican.engine.PelicanException if the vocabulary cannot write every text
   */
  public TokenConstraint constraint(Tokenizer tokenizer, long tokens) {
    MaskCache known;
    synchronized (masks) {
      known = masks.computeIfAbsent(tokenizer, MaskCache::new);
    }
    return new GrammarConstraint(root, known, tokens);
  }

  /** Whether a text, in UTF-8, is one of the grammar. */
  public boolean matches(byte[] text) {
    State state = State.start(root, new State.Pool());
    for (byte value : text) {
      state = state.step(value & 0xff);
    }
    return state.complete();
  }
}
