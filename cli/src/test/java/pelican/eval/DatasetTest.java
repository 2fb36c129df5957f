package pelican.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pelican.chat.Message;
import pelican.engine.PelicanException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a set may hold, what is refused, and which answers are right. */
class DatasetTest {
  @TempDir private Path folder;

  private Dataset read(String... lines) throws IOException {
    return Dataset.read(Files.write(folder.resolve("set.jsonl"), List.of(lines)));
  }

  private boolean isRight(String expectation, String answer) throws IOException {
    return read("{\"prompt\":\"a\"," + expectation + "}")
        .items()
        .getFirst()
        .expected()
        .isMetBy(answer);
  }

  @Test
  void readsAllThatALineMayHold() throws IOException {
    Dataset set =
        read(
            "\ufeff{\"prompt\": \"What is 1 + 1?\", \"answer\": \"2\"}",
            "",
            """
            {"id": "b", "category": "c", "system": "Be brief.", "messages": [\
            {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, \
            {"role": "user", "content": "Bye"}], "regex": "(?i)bye", "max_tokens": 7, \
            "options": {"temperature": 0.5, "stop": ["x", "y"]}}\
            """);
    assertThat(set.items()).hasSize(2);
    Item plain = set.items().getFirst();
    assertThat(plain.id()).isEqualTo("1");
    assertThat(plain.category()).isEmpty();
    assertThat(plain.messages()).containsExactly(Message.user("What is 1 + 1?"));
    assertThat(plain.options()).isEmpty();
    Item rich = set.items().getLast();
    assertThat(rich.line()).isEqualTo(3);
    assertThat(rich.id()).isEqualTo("b");
    assertThat(rich.messages()).hasSize(4);
    assertThat(rich.messages().getFirst()).isEqualTo(Message.system("Be brief."));
    assertThat(rich.options())
        .isEqualTo(
            Map.of(
                "temperature",
                List.of("0.5"),
                "stop",
                List.of("x", "y"),
                "num_predict",
                List.of("7")));
    assertThat(rich.expected().isMetBy("Good Bye.")).isTrue();
  }

  @Test
  void tellsRightAnswersFromWrongOnes() throws IOException {
    assertThat(isRight("\"answer\":\"2\"", " 2\n")).isTrue();
    assertThat(isRight("\"answer\":\"2\"", "2.")).isFalse();
    assertThat(isRight("\"answer\":\"\"", "")).isTrue();
    assertThat(isRight("\"regex\":\"^\\\\d+$\"", "12")).isTrue();
    assertThat(isRight("\"regex\":\"^\\\\d+$\"", "12 apples")).isFalse();
    assertThat(isRight("\"json\":{\"a\":1,\"b\":[true,null]}", "{\"b\":[true,null],\"a\":1.0}"))
        .isTrue();
    assertThat(isRight("\"json\":{\"a\":1}", "```json\n{\"a\": 1}\n```")).isTrue();
    assertThat(isRight("\"json\":{\"a\":1}", "{\"a\":1,\"b\":2}")).isFalse();
    assertThat(isRight("\"json\":[1,2]", "[2,1]")).isFalse();
    assertThat(isRight("\"json\":{\"a\":1}", "The answer is {\"a\":1}")).isFalse();
    assertThat(isRight("\"json\":\"1\"", "1")).isFalse();
    assertThat(isRight("\"json\":null", "null")).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[1]|no JSON object: [1]",
        "hello|no JSON object: Unrecognized token 'hello'",
        "{\"prompt\":\"a\"}|no \"answer\", \"regex\" or \"json\", expected one of them",
        "{\"answer\":\"a\"}|\"prompt\" is missing, expected a text",
        "{\"prompt\":3,\"answer\":\"a\"}|\"prompt\" is 3, expected a text",
        "{\"prompt\":\" \",\"answer\":\"a\"}|\"prompt\" is empty, expected a text",
        "{\"prompt\":\"a\",\"messages\":[],\"answer\":\"a\"}|both \"prompt\" and \"messages\"",
        "{\"prompt\":\"a\",\"answer\":\"a\",\"regex\":\"b\"}|both \"answer\" and \"regex\"",
        "{\"prompt\":\"a\",\"answer\":1}|\"answer\" is 1, expected a text",
        "{\"prompt\":\"a\",\"regex\":\"(\"}|\"regex\" is '(', expected a regular expression:"
            + " Unclosed group",
        "{\"prompt\":\"a\",\"answr\":\"a\"}|\"answr\" is unknown, expected answer, category, id",
        "{\"prompt\":\"a\",\"answer\":\"a\",\"max_tokens\":0}|\"max_tokens\" is 0, expected a"
            + " number",
        "{\"prompt\":\"a\",\"answer\":\"a\",\"options\":[]}|\"options\" is [], expected an object",
        "{\"prompt\":\"a\",\"answer\":\"a\",\"options\":{\"top_k\":{}}}|\"options\" has top_k: {}",
        "{\"prompt\":\"a\",\"answer\":\"a\",\"options\":{\"num_ctx\":8}}|\"options\" has num_ctx",
        "{\"messages\":[],\"answer\":\"a\"}|\"messages\" is [], expected a list that is not empty",
        "{\"messages\":[3],\"answer\":\"a\"}|\"messages\" has 3, expected objects with role",
        "{\"messages\":[{\"role\":\"x\",\"content\":\"a\"}],\"answer\":\"a\"}|\"role\" is 'x',"
            + " expected",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}],\"answer\":\"a\"}|the last of",
        "{\"id\":\"1\",\"prompt\":\"a\",\"answer\":\"a\"}|\"id\" is '1', as on line 1, expected"
            + " another"
      })
  void namesFileAndLineOfWhatIsWrong(String line, String message) {
    assertThatThrownBy(() -> read("{\"prompt\":\"a\",\"answer\":\"b\"}", line))
        .isInstanceOf(PelicanException.class)
        .hasMessageStartingWith(folder.resolve("set.jsonl") + ", line 2: " + message);
  }

  @Test
  void refusesSetsWithoutPrompts() throws IOException {
    assertThatThrownBy(() -> read("", " ")).hasMessageContaining("set.jsonl: no prompts, expected");
    Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertThatThrownBy(() -> Dataset.read(binary)).hasMessageContaining("binary: not UTF-8");
    assertThatThrownBy(() -> Dataset.builtIn("x")).hasMessageContaining("expected one of demo");
  }

  @Test
  void theSetInsideIsTheDemoModelsHeldOutOne() throws IOException {
    JsonNode heldOut =
        JsonMapper.shared().readTree(Path.of("../models/demo/heldout.json").toFile());
    List<List<String>> expected =
        heldOut
            .valueStream()
            .map(row ->
                List.of(
                    row.get("category").asString(),
                    row.get("prompt").asString(),
                    row.get("answer").asString()))
            .toList();
    Dataset set = Dataset.builtIn("demo");
    assertThat(
            set.items().stream()
                .map(item -> List.of(item.category(), item.prompt(), item.expected().text())))
        .isEqualTo(expected);
    assertThat(set.limited(3).items()).hasSize(15);
  }
}
