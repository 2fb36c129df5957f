package pelican.grammar.regex;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * JSON Schema's formats of strings, as expressions of which every match is of the format. Where a
 * format has rare forms, as an address with comments, these are left out.
 */
public final class Formats {
  private static final String YEAR = "[1-9]\\d{3}";
  private static final String DATE =
      "(?:"
          + YEAR
          + "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])"
          + "|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
          + "|02-(?:0[1-9]|1\\d|2[0-8]))"
          + "|(?:[1-9]\\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-02-29)";
  private static final String TIME =
      "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?" + "(?:Z|[+-](?:0\\d|1[0-3]):[0-5]\\d)";
  private static final String DURATION =
      "P(?:\\d{1,9}W"
          + "|(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)"
          + "(?:T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))?"
          + "|T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))";
  private static final String LABEL = "[A-Za-z0-9]{1,15}(?:-[A-Za-z0-9]{1,15})?";
  private static final String HOST = "(?:" + LABEL + "\\.){0,3}[A-Za-z](?:[A-Za-z0-9]{0,29})";
  private static final String DOMAIN = "(?:" + LABEL + "\\.){1,2}[A-Za-z]{2,8}";
  private static final String EMAIL =
      "[A-Za-z0-9_+-]{1,15}(?:\\.[A-Za-z0-9_+-]{1,15}){0,2}@" + DOMAIN;
  private static final String BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  private static final String IPV4 = "(?:" + BYTE + "\\.){3}" + BYTE;
  private static final String HEX = "[0-9A-Fa-f]{1,4}";
  private static final String IPV6 =
      "(?:(?:H:){7}H|(?:H:){1,7}:|(?:H:){1,6}:H|(?:H:){1,5}(?::H){1,2}|(?:H:){1,4}(?::H){1,3}"
          + "|(?:H:){1,3}(?::H){1,4}|(?:H:){1,2}(?::H){1,5}|H:(?::H){1,6}|:(?::H){1,7}|::)";
  private static final String PCHAR = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
  private static final String URI =
      "[A-Za-z][A-Za-z0-9+.-]*:(?://"
          + DOMAIN
          + "(?::[1-9]\\d{0,3})?(?:/PCHAR*)*"
          + "|PCHAR+(?:/PCHAR*)*)(?:\\?(?:PCHAR|[/?])*)?(?:#(?:PCHAR|[/?])*)?";
  private static final String UUID = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}";
  private static final String POINTER =
      "(?:/(?:[^/~#\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]|~[01])*)*";
  private static final String BASE64 =
      "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?";

  private static final Map<String, String> EXPRESSIONS =
      Map.ofEntries(
          Map.entry("date", DATE),
          Map.entry("time", TIME),
          Map.entry("date-time", DATE + "T" + TIME),
          Map.entry("duration", DURATION),
          Map.entry("email", EMAIL),
          Map.entry("idn-email", EMAIL),
          Map.entry("hostname", HOST),
          Map.entry("idn-hostname", HOST),
          Map.entry("ipv4", IPV4),
          Map.entry("ipv6", IPV6.replace("H", HEX)),
          Map.entry("uri", URI.replace("PCHAR", PCHAR)),
          Map.entry("uri-reference", URI.replace("PCHAR", PCHAR)),
          Map.entry("iri", URI.replace("PCHAR", PCHAR)),
          Map.entry("iri-reference", URI.replace("PCHAR", PCHAR)),
          Map.entry("uuid", UUID),
          Map.entry("json-pointer", POINTER),
          Map.entry("relative-json-pointer", "(?:0|[1-9]\\d{0,8})(?:#|" + POINTER + ")"),
          Map.entry("byte", BASE64));

  private static final Map<String, Automaton> KNOWN = new ConcurrentHashMap<>();

  private Formats() {}

  /** The strings of a format, or enough of them; null if there is no such format. */
  public static Automaton of(String name) {
    String expression = EXPRESSIONS.get(name);
    return expression == null ? null : KNOWN.computeIfAbsent(name, key -> Texts.whole(expression));
  }

  /** The names of all formats, sorted. */
  public static Set<String> names() {
    return new TreeSet<>(EXPRESSIONS.keySet());
  }
}
