package pelican.grammar.regex;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class TextsTest {
  private static Automaton matching(String pattern) {
    try {
      return Texts.matching(pattern, Dialect.ALL, new Budget());
    } catch (RegexException e) {
      throw new AssertionError(pattern, e);
    }
  }

  private static void check(String pattern, List<String> yes, List<String> no) {
    Automaton automaton = matching(pattern);
    for (String text : yes) {
      assertThat(automaton.matches(text)).as("%s matches '%s'", pattern, text).isTrue();
    }
    for (String text : no) {
      assertThat(automaton.matches(text)).as("%s matches '%s'", pattern, text).isFalse();
    }
  }

  @Test
  void matchesAsEcmaScriptDoes() {
    check("b", List.of("b", "abc"), List.of("", "a"));
    check("^a|b$", List.of("a", "axx", "xb"), List.of("", "xa", "bx"));
    check("^$", List.of(""), List.of("\n", "a"));
    check("^(?:a|bc)+?$", List.of("a", "abca"), List.of("", "ab"));
    check("^(?<year>\\d{4})-\\d{1,2}$", List.of("2026-1", "2026-12"), List.of("26-1", "٢٠٢٦-1"));
    check("^a{2,}$", List.of("aa", "aaaaa"), List.of("a"));
    check("^a{0}b{,2}$", List.of("b{,2}"), List.of("bb", "ab{,2}"));
    check("^[^a-c\\d\\]-]$", List.of("d", "é", "["), List.of("a", "5", "]", "-", ""));
    check("^[\\w-]+$", List.of("a-_9"), List.of("é", " "));
    check("^\\W$", List.of("-", " "), List.of("a", "é"));
    check("^\\s\\S$", List.of(" x", "\ta"), List.of("x ", "  "));
    check("^.$", List.of("x", "é", "😀"), List.of("\n", "\r", "", "xx"));
    check("^\\u0041\\x42\\u{1F600}\\uD83D\\uDE00$", List.of("AB😀😀"), List.of("AB😀"));
    check("^\\p{Lu}\\P{L}\\p{gc=Nd}$", List.of("É-٣"), List.of("é-1", "ÉÉ1"));
    check("^\\t\\n\\cJ\\/\\.\\-$", List.of("\t\n\n/.-"), List.of("tnJ/.-"));
    check("^[\\b]\\0$", List.of("\b\0"), List.of("b0"));
    check("(^a)?b", List.of("b", "ab", "xb"), List.of("a"));
    check("a$|^b", List.of("a", "xa", "bx"), List.of("ax"));
    check("(a*)*b", List.of("b", "aab"), List.of("aa"));
    check("((((a?){9}){9}){9})$", List.of("", "aaa"), List.of());
    check("[]", List.of(), List.of("", "a"));
    check("a^|$b", List.of(), List.of("", "a", "ab"));
  }

  private static String pattern(Random random, int depth) {
    return switch (random.nextInt(depth == 0 ? 5 : 9)) {
      case 0 -> "a";
      case 1 -> "b";
      case 2 -> "[ac]";
      case 3 -> "[^a1]";
      case 4 -> List.of("\\d", ".", "\\w", "\\D", "é").get(random.nextInt(5));
      case 5 -> pattern(random, depth - 1) + pattern(random, depth - 1);
      case 6 -> "(?:" + pattern(random, depth - 1) + "|" + pattern(random, depth - 1) + ")";
      case 7 ->
          "("
              + pattern(random, depth - 1)
              + ")"
              + List.of("*", "+", "?", "{2}", "{1,3}", "{2,}", "*?").get(random.nextInt(7));
      default ->
          random.nextBoolean()
              ? "(?:^" + pattern(random, depth - 1) + ")"
              : "(?:" + pattern(random, depth - 1) + "$)";
    };
  }

  @Test
  void agreesWithJavaOnRandomExpressions() {
    Random random = new Random(17);
    String letters = "abc1é";
    for (int i = 0; i < 1500; i++) {
      String expression = pattern(random, 4);
      Pattern java = Pattern.compile(expression);
      Automaton automaton = matching(expression);
      for (int j = 0; j < 40; j++) {
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(7); length > 0; length--) {
          text.append(letters.charAt(random.nextInt(letters.length())));
        }
        assertThat(automaton.matches(text.toString()))
            .as("%s on '%s'", expression, text)
            .isEqualTo(java.matcher(text).find());
      }
    }
  }

  @Test
  void combines() throws RegexException {
    Budget budget = new Budget();
    Automaton both = Texts.both(matching("^a"), matching("b$"), budget);
    assertThat(both.matches("ab")).isTrue();
    assertThat(both.matches("a")).isFalse();
    assertThat(Texts.both(matching("^a"), matching("^b"), budget).start())
        .isEqualTo(Automaton.DEAD);
    Automaton without =
        Texts.without(
            Texts.ofLength(1, 2, budget), Texts.of(List.of("a", "bc", "é"), budget), budget);
    for (String text : List.of("b", "ab", "é1", "c")) {
      assertThat(without.matches(text)).as(text).isTrue();
    }
    for (String text : List.of("", "a", "bc", "é", "abc")) {
      assertThat(without.matches(text)).as(text).isFalse();
    }
    assertThat(Texts.of(List.of(), budget).start()).isEqualTo(Automaton.DEAD);
  }

  private static void refuses(String pattern, String... parts) {
    assertThatThrownBy(() -> Texts.matching(pattern, Dialect.ALL, new Budget()))
        .as(pattern)
        .isInstanceOf(RegexException.class)
        .message()
        .contains(parts);
  }

  @Test
  void refusesByName() {
    refuses("a(?=b)", "lookahead '(?='", "index 1");
    refuses("(?!b)", "lookahead '(?!'");
    refuses("(?<=b)", "lookbehind '(?<='");
    refuses("(?<!b)", "lookbehind '(?<!'");
    refuses("(a)\\1", "backreference '\\1'", "index 3");
    refuses("(?<n>a)\\k<n>", "backreference '\\k'");
    refuses("\\bword", "word boundary '\\b'");
    refuses("(?i)a", "group '(?i'");
    refuses("\\p{Script=Greek}", "property '\\p{Script=Greek}'");
    refuses("\\h", "escape '\\h'");
    refuses("*a", "quantifier '*'");
    refuses("a**", "quantifier '*'");
    refuses("a{3,2}", "out of order");
    refuses("[b-a]", "out of order");
    refuses("[a", "'[' is not closed");
    refuses("(a", "'(' is not closed");
    refuses("a)", "')'");
    refuses("\\", "'\\'");
    refuses("\\u12", "hexadecimal");
    refuses("(".repeat(100) + ")".repeat(100), "nested");
    refuses("(a{1000}){1000}", "too large");
    refuses("a{999999999999}", "999999999999");
    refuses("(a|b)*a(a|b){40}", "too large");
    refuses("(\\w{1,200}){1,80}x", "too large");
  }
}
