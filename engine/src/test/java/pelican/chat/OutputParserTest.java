package pelican.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import pelican.tokenizer.TextSegment;

class OutputParserTest {
  private record Result(
      String content, String thinking, List<ToolCall> calls, List<String> unreadable) {
    Result(String content, String thinking, List<ToolCall> calls) {
      this(content, thinking, calls, List.of());
    }
  }

  private static final Tool SEARCH =
      new Tool(
          "search",
          "",
          Map.of(
              "type",
              "object",
              "properties",
              Map.of("query", Map.of("type", "string"), "limit", Map.of("type", "integer"))));

  private static Result parse(boolean think, boolean inThought, String... pieces) {
    OutputParser parser = new OutputParser(think, inThought, List.of(SEARCH));
    List<OutputEvent> events = new ArrayList<>();
    for (String piece : pieces) {
      events.addAll(parser.accept(piece));
    }
    events.addAll(parser.finish());
    return result(events);
  }

  private static Result result(List<OutputEvent> events) {
    StringBuilder content = new StringBuilder();
    StringBuilder thinking = new StringBuilder();
    List<ToolCall> calls = new ArrayList<>();
    List<String> unreadable = new ArrayList<>();
    for (OutputEvent event : events) {
      switch (event) {
        case OutputEvent.Content c -> content.append(c.text());
        case OutputEvent.Thinking t -> thinking.append(t.text());
        case OutputEvent.Call c -> {
          assertThat(c.call().id()).matches("call_[a-z0-9]{8}");
          calls.add(new ToolCall("", c.call().name(), c.call().arguments()));
        }
        case OutputEvent.UnreadableCall c -> unreadable.add(c.text());
      }
    }
    return new Result(content.toString(), thinking.toString(), calls, unreadable);
  }

  /** The result must not depend on where the text is cut into pieces. */
  private static Result parseAnyhow(boolean think, String text) {
    Result whole = parse(think, false, text);
    for (int cut = 0; cut <= text.length(); cut++) {
      assertThat(parse(think, false, text.substring(0, cut), text.substring(cut)))
          .as("cut at " + cut)
          .isEqualTo(whole);
    }
    assertThat(parse(think, false, text.split(""))).isEqualTo(whole);
    return whole;
  }

  @Test
  void dividesThoughtsFromText() {
    assertThat(parseAnyhow(true, "<|channel>thought\nLet me think<channel|>42"))
        .isEqualTo(new Result("42", "Let me think", List.of()));
    assertThat(parseAnyhow(false, "<|channel>thought\nLet me think<channel|>42"))
        .isEqualTo(new Result("42", "", List.of()));
    assertThat(parseAnyhow(true, "<|channel>a<channel|><|channel>b<channel|>End"))
        .isEqualTo(new Result("End", "ab", List.of()));
    assertThat(parseAnyhow(true, "<|channel>thought<channel|>\n\nHi"))
        .isEqualTo(new Result("Hi", "", List.of()));
    assertThat(parse(true, true, "so it is 4<channel|>4"))
        .isEqualTo(new Result("4", "so it is 4", List.of()));
  }

  @Test
  void findsCalls() {
    assertThat(parseAnyhow(true, "Hi. <|tool_call>call:f{x:<|\"|>a \"b\"<|\"|>,n:42}<tool_call|>"))
        .isEqualTo(
            new Result(
                "Hi.", "", List.of(new ToolCall("", "f", Map.of("x", "a \"b\"", "n", 42L)))));
    Result unclosed = parseAnyhow(true, "<|tool_call>call:f{o:{v:null},l:[<|\"|>p<|\"|>]}");
    assertThat(unclosed.calls()).hasSize(1);
    assertThat(unclosed.calls().getFirst().arguments().get("l")).isEqualTo(List.of("p"));
    assertThat(((Map<?, ?>) unclosed.calls().getFirst().arguments().get("o")).containsKey("v"))
        .isTrue();
    Result two =
        parseAnyhow(
            true, "<|tool_call>call:a{}<tool_call|><|tool_call>call:b{k:1.5}<tool_call|> done");
    assertThat(two.calls()).extracting(ToolCall::name).containsExactly("a", "b");
    assertThat(two.content()).isEqualTo("done");
  }

  @Test
  void forgivesWhatModelsGetWrong() {
    assertThat(arguments("call:f{a:'x y',b:\"q\\n\\u00e9\",\"c\":1,d:true,}"))
        .isEqualTo(Map.of("a", "x y", "b", "q\n\u00e9", "c", 1L, "d", true));
    assertThat(arguments("call:f{a:<|\"|>open}")).isEqualTo(Map.of("a", "open"));
    assertThat(arguments("call:f{a:<|\"|>open")).isEqualTo(Map.of("a", "open"));
    assertThat(arguments("call:f{a:<|\"|>x, y,b:<|\"|>z<|\"|>,c:1}"))
        .isEqualTo(Map.of("a", "x, y", "b", "z", "c", 1L));
    assertThat(arguments("call:f{a:[<|\"|>p<|\"|>,<|\"|>q]}"))
        .isEqualTo(Map.of("a", List.of("p", "q")));
    assertThat(arguments("call:f{a:{b:[1,2")).isEqualTo(Map.of("a", Map.of("b", List.of(1L, 2L))));
    assertThat(arguments("call:f{a:{b:1}}}")).isEqualTo(Map.of("a", Map.of("b", 1L)));
    assertThat(arguments("call:f")).isEmpty();
    assertThat(arguments("call: f {}")).isEmpty();
  }

  @Test
  void textWithoutQuotesGoesOnToTheNextParameter() {
    assertThat(arguments("call:f{a:it's a, b and {c},n:3,o:[red apple,2]}"))
        .isEqualTo(Map.of("a", "it's a, b and {c}", "n", 3L, "o", List.of("red apple", 2L)));
    assertThat(arguments("call:f{a:true story,b:1.2.3,c:see, http://x}"))
        .isEqualTo(Map.of("a", "true story", "b", "1.2.3", "c", "see, http://x"));
    // With the parameters known, only they end a text.
    assertThat(arguments("call:search{query:cats, dogs: which,limit:2}"))
        .isEqualTo(Map.of("query", "cats, dogs: which", "limit", 2L));
    assertThat(arguments("call:other{query:cats, dogs: which,limit:2}"))
        .isEqualTo(Map.of("query", "cats", "dogs", "which", "limit", 2L));
  }

  @Test
  void numbersKeepTheirValue() {
    Map<String, Object> expected = new LinkedHashMap<>();
    expected.put("a", Long.MIN_VALUE);
    expected.put("b", new BigInteger("123456789012345678901234567890"));
    expected.put("c", -0.5e-3);
    expected.put("d", new BigDecimal("1e999"));
    expected.put("e", null);
    assertThat(
            arguments(
                "call:f{a:-9223372036854775808,b:123456789012345678901234567890,"
                    + "c:-0.5E-3,d:1e999,e:null}"))
        .isEqualTo(expected);
  }

  @Test
  void reportsWhatIsNoCall() {
    List<String> broken =
        List.of(
            "",
            "x",
            "call:",
            "call:{",
            "call:{a:1}",
            "call:f{,}",
            "call:f{:}",
            "call:f{a}",
            "call:f{a:{b 1}}",
            "call:f{a:[}",
            "call:f{\"a",
            "call:f{a:{<|\"|>",
            "call:f" + "{a:".repeat(100_000));
    for (String nonsense : broken) {
      assertThat(parseAnyhowIfShort("<|tool_call>" + nonsense + "<tool_call|> ok"))
          .as(nonsense)
          .isEqualTo(new Result("ok", "", List.of(), List.of(nonsense)));
    }
    // A name that was cut off is not to be called.
    assertThat(parse(true, false, "<|tool_call>call:delete_fi").unreadable())
        .containsExactly("call:delete_fi");
  }

  private static Result parseAnyhowIfShort(String text) {
    return text.length() < 1000 ? parseAnyhow(true, text) : parse(true, false, text);
  }

  private static Map<String, Object> arguments(String call) {
    List<ToolCall> calls = parseAnyhow(true, "<|tool_call>" + call + "<tool_call|>").calls();
    assertThat(calls).hasSize(1);
    return calls.getFirst().arguments();
  }

  @Test
  void readsWhatTheRendererWrites() {
    Random random = new Random(12);
    for (int round = 0; round < 2000; round++) {
      Map<String, Object> arguments = randomMap(random, 0);
      Segments segments = new Segments();
      ValueFormat.entries(segments, arguments, random.nextBoolean());
      String call = segments.toList().stream().map(TextSegment::text).collect(Collectors.joining());
      Result result = parse(true, false, "<|tool_call>call:f{" + call + "}<tool_call|>");
      assertThat(result).isEqualTo(new Result("", "", List.of(new ToolCall("", "f", arguments))));
    }
  }

  private static Map<String, Object> randomMap(Random random, int depth) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      map.put("k" + Integer.toString(random.nextInt(1000), 36), randomValue(random, depth + 1));
    }
    return map;
  }

  private static Object randomValue(Random random, int depth) {
    return switch (random.nextInt(depth < 4 ? 8 : 6)) {
      case 0 -> null;
      case 1 -> random.nextBoolean();
      case 2 -> random.nextLong();
      case 3 -> random.nextGaussian();
      case 4, 5 -> {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(8); i > 0; i--) {
          text.append(
              List.of("a", " ", "\"", "'", "\\", "{", "}", "]", ",k1:", "\n", "<|", "\ud83e\udda9")
                  .get(random.nextInt(12)));
        }
        yield text.toString();
      }
      case 6 -> randomMap(random, depth);
      default -> {
        List<Object> list = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
          list.add(randomValue(random, depth + 1));
        }
        yield list;
      }
    };
  }

  @Test
  void survivesAnyText() {
    Random random = new Random(13);
    List<String> parts =
        List.of(
            "<|tool_call>",
            "<tool_call|>",
            "<|channel>",
            "<channel|>",
            "thought\n",
            "<|\"|>",
            "call:f",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "'",
            "\\u12",
            "1",
            "true",
            " ",
            "\n",
            "<",
            "x");
    for (int round = 0; round < 20_000; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(20); i > 0; i--) {
        text.append(parts.get(random.nextInt(parts.size())));
      }
      Result whole = parse(true, false, text.toString());
      assertThat(parse(true, false, text.toString().split(""))).as("%s", text).isEqualTo(whole);
    }
  }

  @Test
  void textThatReadsLikeAMarkIsNone() {
    String text = "Write <|tool_call>call:f{}<tool_call|> and <|channel>.";
    OutputParser parser = new OutputParser(true, false, List.of());
    List<OutputEvent> events = new ArrayList<>(parser.accept(text, false));
    for (String piece : List.of("<|tool_call>", "<|\"|>")) {
      events.addAll(parser.accept(piece, true));
      events.addAll(
          parser.accept(piece.equals("<|tool_call>") ? "call:f{a:" : "<tool_call|>", false));
    }
    events.addAll(parser.accept("<|\"|>", true));
    events.addAll(parser.accept("}", false));
    events.addAll(parser.accept("<tool_call|>", true));
    events.addAll(parser.finish());
    assertThat(result(events))
        .isEqualTo(
            new Result(text, "", List.of(new ToolCall("", "f", Map.of("a", "<tool_call|>")))));
  }

  @Test
  void passesTextOnAsSoonAsItIsCertain() {
    OutputParser parser = new OutputParser(true, false, List.of());
    assertThat(parser.accept("a < b <")).containsExactly(new OutputEvent.Content("a < b"));
    assertThat(parser.accept(" c")).containsExactly(new OutputEvent.Content(" < c"));
    assertThat(parser.accept(" \n")).isEmpty();
    assertThat(parser.finish()).containsExactly(new OutputEvent.Content(" \n"));
    String text = "1 < 2 | <|chan <|tool_cal> \n<turn";
    assertThat(parseAnyhow(true, text).content()).isEqualTo(text);
  }
}
