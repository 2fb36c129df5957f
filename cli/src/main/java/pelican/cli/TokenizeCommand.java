package pelican.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import pelican.gguf.GgufFile;
import pelican.models.ModelResolver;
import pelican.tokenizer.Tokenizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "tokenize",
    description = "Prints the token ids of a text from the arguments or the input, or the reverse.",
    mixinStandardHelpOptions = true)
final class TokenizeCommand implements Callable<Integer> {
  @Option(
      names = {"--model", "-m"},
      required = true,
      paramLabel = "MODEL",
      description = "Name, alias or path of a model.")
  private String model;

  @Option(names = "--special", description = "Recognise control tokens in the text.")
  private boolean special;

  @Option(names = "--decode", description = "Take ids and print their text.")
  private boolean decode;

  @Option(names = "--json", description = "Print JSON: ids with the text of each.")
  private boolean json;

  @Parameters(arity = "0..*", paramLabel = "TEXT", description = "The text, or the ids.")
  private List<String> words = List.of();

  @Override
  public Integer call() throws IOException {
    String input =
        words.isEmpty()
            ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
            : String.join(" ", words);
    Tokenizer tokenizer;
    try (GgufFile file = GgufFile.open(ModelResolver.ofUser().resolve(model).file())) {
      tokenizer = Tokenizer.from(file.metadata());
    }
    if (decode) {
      String text = tokenizer.decode(TokenIds.parse(input, tokenizer.size()));
      System.out.println(json ? JsonMapper.shared().writeValueAsString(text) : text);
      return 0;
    }
    int[] ids = tokenizer.encode(input, special);
    if (json) {
      List<Map<String, Object>> tokens = new ArrayList<>();
      for (int id : ids) {
        tokens.add(Map.of("id", id, "text", tokenizer.text(id)));
      }
      System.out.println(JsonMapper.shared().writeValueAsString(tokens));
    } else {
      System.out.println(
          Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining(",")));
    }
    return 0;
  }
}
