package pelican.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonGrammarTest {
  private static Map<String, Object> map(Object... entries) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < entries.length; i += 2) {
      map.put((String) entries[i], entries[i + 1]);
    }
    return map;
  }

  private static boolean matches(Map<String, Object> schema, String text) {
    return JsonGrammar.of(schema).matches(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void accepts(Map<String, Object> schema, String... texts) {
    for (String text : texts) {
      assertThat(matches(schema, text)).as(schema + " accepts " + text).isTrue();
    }
  }

  private static void rejects(Map<String, Object> schema, String... texts) {
    for (String text : texts) {
      assertThat(matches(schema, text)).as(schema + " rejects " + text).isFalse();
    }
  }

  private static void refuses(Map<String, Object> schema, String... parts) {
    assertThatThrownBy(() -> JsonGrammar.of(schema))
        .isInstanceOf(SchemaException.class)
        .message()
        .contains(parts);
  }

  @Test
  void anyObject() {
    accepts(
        map(),
        "{}",
        "{\"a\":1}",
        "{\"a\": [1, -2.5,true,null], \"b\":{\"c\":\"x\\n\\u00e9\"}}",
        "{\"\":\"\",\"é\":0}");
    rejects(
        map(),
        "",
        "[]",
        "1",
        "{",
        "{\"a\":1",
        "{\"a\":1}}",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":01}",
        "{ \"a\":1}",
        "{\"a\":  1}",
        "{\"a\":-0}",
        "{\"a\":1.}");
    String deep = "{\"a\":".repeat(16) + "1" + "}".repeat(16);
    accepts(map(), deep);
    rejects(map(), "{\"a\":" + deep + "}");
  }

  @Test
  void strings() {
    Map<String, Object> any = map("type", "string");
    accepts(any, "\"\"", "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\uD7ff\\u0000\\uE000\"", "\"😀é\"");
    rejects(
        any, "\"", "a", "\"\n\"", "\"\\x\"", "\"\\ud800\"", "\"\\uDFFF\"", "\"\\u12\"", "\"\"x");
    JsonGrammar grammar = JsonGrammar.of(any);
    int[][] malformed = {
      {0xff},
      {0xc0, 0x80},
      {0xc1, 0xbf},
      {0xe0, 0x80, 0x80},
      {0xed, 0xa0, 0x80},
      {0xc3},
      {0xf0, 0x80, 0x80, 0x80},
      {0xf4, 0x90, 0x80, 0x80},
      {0xf5, 0x80, 0x80, 0x80},
      {0x80}
    };
    for (int[] bytes : malformed) {
      byte[] text = new byte[bytes.length + 2];
      text[0] = '"';
      for (int i = 0; i < bytes.length; i++) {
        text[i + 1] = (byte) bytes[i];
      }
      text[text.length - 1] = '"';
      assertThat(grammar.matches(text)).isFalse();
    }
    Map<String, Object> bounded = map("type", "string", "minLength", 2, "maxLength", 3);
    accepts(bounded, "\"ab\"", "\"😀é\\n\"");
    rejects(bounded, "\"a\"", "\"abcd\"", "\"😀\"");
    accepts(any, "\"" + "x".repeat(1024) + "\"");
    rejects(any, "\"" + "x".repeat(1025) + "\"");
  }

  @Test
  void integers() {
    for (int low = -13; low <= 13; low++) {
      for (int high = low; high <= 13; high++) {
        Map<String, Object> schema = map("type", "integer", "minimum", low, "maximum", high);
        Map<String, Object> open =
            map("type", "integer", "exclusiveMinimum", low - 0.5, "exclusiveMaximum", high + 1);
        JsonGrammar closedGrammar = JsonGrammar.of(schema);
        JsonGrammar openGrammar = JsonGrammar.of(open);
        for (int value = -130; value <= 130; value++) {
          boolean within = low <= value && value <= high;
          byte[] text = Integer.toString(value).getBytes(StandardCharsets.UTF_8);
          assertThat(closedGrammar.matches(text) == within && openGrammar.matches(text) == within)
              .as(schema + " " + value)
              .isTrue();
        }
        rejects(schema, "-0", "00", "01", "+1", "", "-", "1.0", "1e0");
      }
    }
    accepts(map("type", "integer"), "0", "-1", "999999999999999");
    rejects(map("type", "integer"), "9999999999999999", "0.5");
    accepts(map("type", "integer", "minimum", 1e20), "100000000000000000000");
    refuses(map("type", "integer", "minimum", 2, "maximum", 1), "no value");
  }

  @Test
  void numbers() {
    accepts(map("type", "number"), "0", "-1.5", "0.000001", "999999999.999999");
    rejects(map("type", "number"), "-0", "-0.0", "1.", ".5", "1e5", "0.0000001", "00.1");
    Map<String, Object> schema = map("type", "number", "minimum", -0.25, "exclusiveMaximum", 1.5);
    accepts(schema, "-0.25", "-0.2", "0", "0.0", "1", "1.4", "1.499999");
    rejects(schema, "-0.250001", "-1", "1.5", "1.50", "2", "10");
    Map<String, Object> narrow = map("type", "number", "minimum", 0.12, "maximum", 0.13);
    accepts(narrow, "0.12", "0.125", "0.13");
    rejects(narrow, "0.1", "0", "0.119", "0.131", "1");
  }

  @Test
  void objects() {
    Map<String, Object> schema =
        map(
            "type",
            "object",
            "properties",
            map("a", map("type", "integer"), "b", map("type", "boolean"), "c", map("type", "null")),
            "required",
            List.of("b"));
    accepts(
        schema, "{\"b\":true}", "{\"a\":1, \"b\": false,\"c\":null}", "{\"b\":true,\"c\":null}");
    rejects(
        schema,
        "{}",
        "{\"a\":1}",
        "{\"a\":1,}",
        "{\"b\":1}",
        "{\"b\":true,\"b\":true}",
        "{\"b\":true,\"a\":1}",
        "{\"b\":true,\"d\":1}");
    Map<String, Object> open = new LinkedHashMap<>(schema);
    open.put("additionalProperties", map("type", "string"));
    accepts(open, "{\"b\":true,\"d\":\"x\"}", "{\"b\":true,\"bb\":\"\",\"\":\"\"}");
    rejects(
        open,
        "{\"b\":true,\"d\":1}",
        "{\"b\":true,\"a\":\"x\"}",
        "{\"b\":true,\"d\":\"x\",\"d\":\"y\"}",
        "{\"d\":\"x\"}");
    accepts(map("required", List.of("x\"y")), "{\"x\\\"y\":[]}");
    rejects(map("required", List.of("x\"y")), "{}");
    accepts(map("type", "object", "additionalProperties", false), "{}");
    rejects(map("type", "object", "additionalProperties", false), "{\"a\":1}");
  }

  @Test
  void arrays() {
    Map<String, Object> schema =
        map("type", "array", "items", map("const", 1), "minItems", 1, "maxItems", 3);
    accepts(schema, "[1]", "[1,1, 1]");
    rejects(schema, "[]", "[1,1,1,1]", "[2]", "[1,]", "[,1]");
    Map<String, Object> tuple =
        map("prefixItems", List.of(map("const", "a"), map("const", "b")), "items", false);
    accepts(tuple, "[]", "[\"a\"]", "[\"a\",\"b\"]");
    rejects(tuple, "[\"b\"]", "[\"a\",\"b\",1]");
  }

  @Test
  void valuesAndAlternatives() {
    Map<String, Object> schema =
        map("enum", java.util.Arrays.asList("a", 1, null, List.of(1, 2), "é\n"));
    accepts(schema, "\"a\"", "1", "null", "[1,2]", "\"é\\n\"");
    rejects(schema, "2", "\"b\"", "[1]", "true");
    Map<String, Object> typed = map("type", "string", "enum", List.of("a", 1));
    accepts(typed, "\"a\"");
    rejects(typed, "1");
    Map<String, Object> types = map("type", List.of("string", "null"), "maxLength", 1);
    accepts(types, "\"x\"", "null");
    rejects(types, "\"xy\"", "1");
    Map<String, Object> any = map("anyOf", List.of(map("const", "ab"), map("const", "ac")));
    accepts(any, "\"ab\"", "\"ac\"");
    rejects(any, "\"a\"", "\"ad\"");
    Map<String, Object> kinds =
        map(
            "oneOf",
            List.of(
                map(
                    "type",
                    "object",
                    "required",
                    List.of("k"),
                    "properties",
                    map("k", map("const", "x"))),
                map(
                    "type",
                    "object",
                    "required",
                    List.of("k", "v"),
                    "properties",
                    map("k", map("const", "y"), "v", map("type", "integer")))));
    accepts(kinds, "{\"k\":\"x\"}", "{\"k\":\"y\",\"v\":1}");
    rejects(kinds, "{\"k\":\"y\"}", "{\"k\":\"x\",\"v\":1}");
    refuses(
        map("oneOf", List.of(map("type", "integer"), map("type", "number"))), "'oneOf'", "0", "1");
  }

  @Test
  void merging() {
    Map<String, Object> schema =
        map(
            "allOf",
            List.of(
                map("type", "object", "properties", map("a", map("type", "number"))),
                map(
                    "properties",
                    map("a", map("type", "integer", "maximum", 5), "b", map("type", "null")),
                    "required",
                    List.of("a"))));
    accepts(schema, "{\"a\":5}", "{\"a\":1,\"b\":null}");
    rejects(schema, "{}", "{\"a\":6}", "{\"a\":1.5}");
    refuses(
        map(
            "allOf",
            List.of(
                map("properties", map("a", true), "additionalProperties", false),
                map("properties", map("b", true)))),
        "'additionalProperties'");
  }

  @Test
  void references() {
    Map<String, Object> tree =
        map(
            "$ref",
            "#/$defs/node",
            "$defs",
            map(
                "node",
                map(
                    "type",
                    "object",
                    "properties",
                    map(
                        "next",
                        map("anyOf", List.of(map("$ref", "#/$defs/node"), map("type", "null")))),
                    "required",
                    List.of("next"))));
    accepts(tree, "{\"next\":null}", "{\"next\":{\"next\":{\"next\":null}}}");
    rejects(tree, "{}", "{\"next\":{}}", "null");
    refuses(map("$ref", "#"), "'$ref'");
    refuses(map("$ref", "#/nowhere"), "'$ref'", "#/nowhere");
    refuses(map("$ref", "http://example.org/x"), "'$ref'");
    refuses(map("anyOf", List.of(map("$ref", "#"), map("type", "null"))), "'$ref'");
    refuses(
        map("type", "object", "required", List.of("a"), "properties", map("a", map("$ref", "#"))),
        "no value");
  }

  @Test
  void refusesByName() {
    refuses(map("type", "object", "dependentRequired", map()), "#:", "'dependentRequired'");
    refuses(map("type", "object", "minProperties", 1001), "#:", "'minProperties'");
    refuses(
        map("properties", map("a/b", map("not", map("properties", map())))),
        "#/properties/a~1b",
        "'not'");
    refuses(map("type", "array", "uniqueItems", true), "'uniqueItems'");
    refuses(map("if", map("const", 1), "then", map("type", "integer")), "'if'");
    refuses(map("type", "string", "pattern", "(?=a)"), "'pattern'", "lookahead '(?='");
    refuses(map("type", "string", "pattern", "a{50000}"), "'pattern'", "too large");
    refuses(map("type", "string", "pattern", 1), "'pattern'", "expected a string");
    refuses(map("type", "string", "format", "no-such"), "'format'", "no-such");
    refuses(map("type", "integer", "multipleOf", 0), "'multipleOf'");
    refuses(map("type", "text"), "'type'", "text");
    refuses(map("type", "string", "minLength", -1), "'minLength'", "-1");
    refuses(map("type", "string", "maxLength", "3"), "'maxLength'");
    refuses(map("type", "number", "minimum", new java.math.BigDecimal("1e999999999")), "'minimum'");
    refuses(map("properties", List.of()), "'properties'");
    accepts(map("type", "null", "title", "t", "description", "d", "default", 1), "null");
  }
}
