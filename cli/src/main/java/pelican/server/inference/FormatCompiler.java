package pelican.server.inference;

import java.util.Map;
import pelican.engine.PelicanException;
import pelican.grammar.GrammarCache;
import pelican.sampling.TokenConstraint;
import pelican.server.http.ApiException;
import pelican.tokenizer.Tokenizer;

/** Makes constraints of schemas. */
@FunctionalInterface
public interface FormatCompiler {
  /** How many schemas are kept compiled. */
  int SCHEMAS = 32;

  /**
   * By the engine's grammars, of which the last ones are kept; what they do not support is the
   * caller's error.
   */
  static FormatCompiler grammars() {
    GrammarCache cache = new GrammarCache(SCHEMAS);
    return (schema, tokenizer, tokens) -> {
      try {
        return cache.of(schema).constraint(tokenizer, tokens);
      } catch (PelicanException e) {
        throw ApiException.badRequest(e.getMessage());
      }
    };
  }

  /**
   * A constraint for one answer. It has to allow an end-of-generation token exactly where the text
   * is complete.
   *
   * @param schema a JSON Schema as maps, lists, strings, numbers, booleans and null; an empty map
   *     for any JSON object
   * @param tokens the most tokens that the answer may have, thoughts included
   * @throws ApiException naming what of the schema is not supported or wrong
   */
  TokenConstraint compile(Map<String, Object> schema, Tokenizer tokenizer, long tokens);
}
