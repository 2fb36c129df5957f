package pelican.grammar;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The grammars of the schemas that came last, with what they have found out of vocabularies.
 * Thread-safe.
 */
public final class GrammarCache {
  private final int most;
  private final LinkedHashMap<String, JsonGrammar> grammars = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param most how many grammars are kept; those that were not used for longest go
   */
  public GrammarCache(int most) {
    this.most = most;
  }

  /**
   * The grammar of a schema; made if it is not here.
   *
   * @param schema as for {@link JsonGrammar#of}; two are the same if they are as text, the order of
   *     properties included
   * @throws SchemaException if the schema is wrong or has what is not supported
   */
  public JsonGrammar of(Map<String, ?> schema) {
    String text = JsonText.of(schema);
    synchronized (grammars) {
      JsonGrammar known = grammars.get(text);
      if (known != null) {
        return known;
      }
    }
    JsonGrammar made = JsonGrammar.of(schema);
    synchronized (grammars) {
      JsonGrammar before = grammars.putIfAbsent(text, made);
      if (grammars.size() > most) {
        grammars.pollFirstEntry();
      }
      return before == null ? made : before;
    }
  }
}
