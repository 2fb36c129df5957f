package pelican.server;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Another implementation of JSON Schema, which decides what satisfies a schema. */
final class Validator {
  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(
          SpecificationVersion.DRAFT_2020_12,
          builder ->
              builder.schemaRegistryConfig(
                  SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build()));

  private Validator() {}

  /** What is wrong with a text, formats included. */
  static List<String> errors(JsonNode schema, String text) {
    Schema validator = REGISTRY.getSchema(schema);
    return validator.validate(JsonMapper.shared().readTree(text)).stream()
        .map(Object::toString)
        .toList();
  }
}
