package pelican.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import pelican.grammar.regex.Automaton;
import pelican.grammar.regex.Budget;
import pelican.grammar.regex.Dialect;
import pelican.grammar.regex.Formats;
import pelican.grammar.regex.RegexException;
import pelican.grammar.regex.Texts;

/** The strings that the keywords of a schema allow. */
final class StringTexts {
  private final Map<List<Object>, Automaton> known = new HashMap<>();
  private final Budget budget = new Budget();

  /** Work that may be too much. */
  private interface Work {
    Automaton run(Budget budget) throws RegexException;
  }

  private Automaton run(String keyword, String pointer, Work work) {
    try {
      return work.run(budget);
    } catch (RegexException e) {
      throw new SchemaException(pointer, "keyword '" + keyword + "': " + e.getMessage());
    }
  }

  /** The texts in which an expression matches. */
  Automaton pattern(Object pattern, String keyword, String pointer, Dialect dialect) {
    if (!(pattern instanceof String text)) {
      throw new SchemaException(
          pointer, "keyword '" + keyword + "' is " + JsonText.of(pattern) + ", expected a string");
    }
    List<Object> key = List.of(text, dialect);
    Automaton automaton = known.get(key);
    if (automaton == null) {
      automaton = run(keyword, pointer, limit -> Texts.matching(text, dialect, limit));
      known.put(key, automaton);
    }
    return automaton;
  }

  /** The strings that pattern and format allow; null if there is neither. */
  Automaton of(Map<String, Object> map, String pointer, Dialect dialect) {
    Automaton all = null;
    for (Object pattern : SchemaReader.every(map, "pattern")) {
      Automaton one = pattern(pattern, "pattern", pointer, dialect);
      all = all == null ? one : both(all, one, "pattern", pointer);
    }
    for (Object format : SchemaReader.every(map, "format")) {
      Automaton one = format(format, pointer);
      all =
          all == null || one == null
              ? (one == null ? all : one)
              : both(all, one, "format", pointer);
    }
    return all;
  }

  /** The strings of a format; null if it is one of numbers, or says nothing of strings. */
  private static Automaton format(Object format, String pointer) {
    Automaton automaton = format instanceof String name ? Formats.of(name) : null;
    boolean free = NumberRange.FORMATS.contains(format) || "password".equals(format);
    if (automaton == null && !free) {
      throw new SchemaException(
          pointer,
          "keyword 'format' is "
              + JsonText.of(format)
              + ", which is not supported; expected one of "
              + String.join(", ", Formats.names()));
    }
    return automaton;
  }

  /** Strings that both allow; {@code keyword} is told if they are too many. */
  Automaton both(Automaton a, Automaton b, String keyword, String pointer) {
    return run(keyword, pointer, limit -> Texts.both(a, b, limit));
  }

  /** Strings of the first that are not of the second. */
  Automaton without(Automaton a, Automaton b, String keyword, String pointer) {
    return run(keyword, pointer, limit -> Texts.without(a, b, limit));
  }

  /** These strings alone. */
  Automaton of(List<String> texts, String keyword, String pointer) {
    return run(keyword, pointer, limit -> Texts.of(texts, limit));
  }

  /** Those of some strings that have so many code points at least. */
  Automaton atLeast(Automaton strings, int least, String pointer) {
    return least == 0
        ? strings
        : run(
            "minLength",
            pointer,
            limit -> Texts.both(strings, Texts.ofLength(least, -1, limit), limit));
  }

  /** The strings of which pattern and lengths hold, none left out. */
  Automaton exactly(Map<String, Object> map, String pointer, Dialect dialect) {
    Automaton all = of(map, pointer, dialect);
    int least = SchemaCompiler.count(map, "minLength", 0, pointer);
    int most = SchemaCompiler.count(map, "maxLength", -1, pointer);
    if (least == 0 && most < 0) {
      return all == null ? Texts.any() : all;
    }
    if (most >= 0 && least > most) {
      return of(List.of(), "maxLength", pointer);
    }
    return run(
        most < 0 ? "minLength" : "maxLength",
        pointer,
        limit -> {
          Automaton lengths = Texts.ofLength(least, most, limit);
          return all == null ? lengths : Texts.both(all, lengths, limit);
        });
  }

  /** The names that a schema of names allows. */
  Automaton names(
      Object schema, String pointer, SchemaReader reader, SchemaMerger merger, SchemaCheck check) {
    if (schema instanceof Boolean all) {
      return all ? Texts.any() : of(List.of(), "propertyNames", pointer);
    }
    Map<String, Object> map = reader.schema(schema, pointer);
    for (int i = 0; i < 64 && (map.containsKey("$ref") || map.containsKey("allOf")); i++) {
      Object flat =
          map.containsKey("$ref")
              ? merger.inline(map, pointer, 0)
              : merger.mergeAll(map, pointer, 0);
      if (!(flat instanceof Map<?, ?>)) {
        return names(flat, pointer, reader, merger, check);
      }
      map = reader.schema(flat, pointer);
    }
    for (String keyword : List.of("$ref", "allOf", "anyOf", "oneOf", "if")) {
      if (map.containsKey(keyword)) {
        throw new SchemaException(
            pointer, "keyword '" + keyword + "' in 'propertyNames' is not supported");
      }
    }
    if (map.containsKey("enum") || map.containsKey("const")) {
      List<String> names = new ArrayList<>();
      for (Object value : reader.values(map, pointer)) {
        if (value instanceof String name && check.holds(name, map, pointer)) {
          names.add(name);
        }
      }
      return of(names, "propertyNames", pointer);
    }
    Negations not = Negations.of(map, pointer, reader, check, this);
    if (not.excludes("string", pointer)
        || map.containsKey("type") && !SchemaReader.isOf("", reader.types(map, pointer))) {
      return of(List.of(), "propertyNames", pointer);
    }
    Automaton allowed = of(map, pointer, Dialect.ALL);
    allowed = not.strings(allowed == null ? Texts.any() : allowed, pointer);
    int least = SchemaCompiler.count(map, "minLength", 0, pointer);
    int most = SchemaCompiler.count(map, "maxLength", -1, pointer);
    if (most >= 0) {
      Automaton lengths = exactly(Map.of("maxLength", most), pointer, Dialect.ALL);
      allowed = both(allowed, lengths, "maxLength", pointer);
    }
    return atLeast(allowed, least, pointer);
  }
}
