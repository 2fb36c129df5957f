package pelican.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OutputParserTest {
  private record Result(String content, String thinking, List<ToolCall> calls) {}

  private static Result parse(boolean think, boolean inThought, String... pieces) {
    OutputParser parser = new OutputParser(think, inThought);
    StringBuilder content = new StringBuilder();
    StringBuilder thinking = new StringBuilder();
    List<ToolCall> calls = new ArrayList<>();
    List<OutputEvent> events = new ArrayList<>();
    for (String piece : pieces) {
      events.addAll(parser.accept(piece));
    }
    events.addAll(parser.finish());
    for (OutputEvent event : events) {
      switch (event) {
        case OutputEvent.Content c -> content.append(c.text());
        case OutputEvent.Thinking t -> thinking.append(t.text());
        case OutputEvent.Call c -> calls.add(c.call());
      }
    }
    return new Result(content.toString(), thinking.toString(), calls);
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
    assertThat(arguments("call:f{a:'x y',b:\"q\\n\",c:plain text,d:true}"))
        .isEqualTo(Map.of("a", "x y", "b", "q\n", "c", "plain text", "d", true));
    assertThat(arguments("call:f{a:<|\"|>open}")).isEqualTo(Map.of("a", "open"));
    assertThat(arguments("call:f{a:{b:[1,2")).isEqualTo(Map.of("a", Map.of("b", List.of(1L, 2L))));
    assertThat(arguments("call:f")).isEmpty();
    for (String nonsense : List.of("", "x", "call:", "call:{", "call:{a:1}")) {
      assertThat(parse(true, false, "<|tool_call>" + nonsense + "<tool_call|>ok"))
          .isEqualTo(new Result("ok", "", List.of()));
    }
    for (String broken :
        List.of("call:f{,}", "call:f{:}", "call:f{a}", "call:f{a:]}", "call:f{[}")) {
      assertThat(parse(true, false, "<|tool_call>" + broken + "<tool_call|>").calls()).hasSize(1);
    }
    assertThat(parse(true, false, "<|tool_call>call:f" + "{a:".repeat(100_000)).calls()).hasSize(1);
  }

  private static Map<String, Object> arguments(String call) {
    List<ToolCall> calls = parse(true, false, "<|tool_call>" + call + "<tool_call|>").calls();
    assertThat(calls).hasSize(1);
    return calls.getFirst().arguments();
  }

  @Test
  void passesTextOnAsSoonAsItIsCertain() {
    OutputParser parser = new OutputParser(true, false);
    assertThat(parser.accept("a < b <")).containsExactly(new OutputEvent.Content("a < b"));
    assertThat(parser.accept(" c")).containsExactly(new OutputEvent.Content(" < c"));
    assertThat(parser.accept(" \n")).isEmpty();
    assertThat(parser.finish()).containsExactly(new OutputEvent.Content(" \n"));
    String text = "1 < 2 | <|chan <|tool_cal> \n<turn";
    assertThat(parseAnyhow(true, text).content()).isEqualTo(text);
  }
}
