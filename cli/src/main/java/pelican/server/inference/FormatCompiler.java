package pelican.server.inference;

import java.util.Map;
import pelican.sampling.TokenConstraint;
import pelican.tokenizer.Tokenizer;

/** Makes constraints of schemas. */
@FunctionalInterface
public interface FormatCompiler {
  /** For servers without constrained output: every format is refused, none ignored. */
  FormatCompiler UNSUPPORTED =
      (schema, tokenizer) -> {
        throw new pelican.server.http.ApiException(
            501, "format is not supported: this server has no constrained output");
      };

  /**
   * A constraint for one answer. It has to allow an end-of-generation token exactly where the text
   * is complete.
   *
   * @param schema a JSON Schema as maps, lists, strings, numbers, booleans and null; an empty map
   *     for any JSON object
   * @throws pelican.engine.PelicanException naming what of the schema is not supported or wrong
   */
  TokenConstraint compile(Map<String, Object> schema, Tokenizer tokenizer);
}
