package pelican.eval;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import pelican.engine.PelicanException;
import pelican.models.Digest;

/**
 * Prompts with what their answers have to be.
 *
 * @param name what the set is called: its file, or its name among those that are carried inside
 * @param digest SHA-256 of its bytes
 * @param items the prompts, in their order
 */
public record Dataset(String name, Digest digest, List<Item> items) {
  /** The names of the sets that are carried inside. */
  public static final List<String> BUILT_IN = List.of("demo");

  public Dataset {
    items = List.copyOf(items);
  }

  /**
   * A set that is carried inside.
   *
   * @throws PelicanException if there is none of that name
   */
  public static Dataset builtIn(String name) {
    if (!BUILT_IN.contains(name)) {
      throw new PelicanException(
          "no set '" + name + "' inside, expected one of " + String.join(", ", BUILT_IN));
    }
    try (InputStream in = Dataset.class.getResourceAsStream(name + ".jsonl")) {
      return parse(name, in.readAllBytes());
    } catch (IOException e) {
      throw new PelicanException("cannot read the set '" + name + "' inside: " + e, e);
    }
  }

  /**
   * Reads a file of one JSON object a line; blank lines are skipped. {@link ItemReader} says what
   * the objects hold.
   *
   * @throws PelicanException if the file has none, naming the line if one is wrong
   */
  public static Dataset read(Path file) throws IOException {
    return parse(file.toString(), Files.readAllBytes(file));
  }

  private static Dataset parse(String name, byte[] bytes) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new PelicanException(name + ": not UTF-8 text, expected JSON objects, one a line", e);
    }
    List<Item> items = new ArrayList<>();
    Map<String, Integer> lines = new HashMap<>();
    int number = 0;
    for (String line : (text.startsWith("\ufeff") ? text.substring(1) : text).split("\n")) {
      number++;
      if (line.isBlank()) {
        continue;
      }
      try {
        Item item = ItemReader.read(line, number);
        Integer earlier = lines.putIfAbsent(item.id(), number);
        if (earlier != null) {
          throw new PelicanException(
              "\"id\" is '" + item.id() + "', as on line " + earlier + ", expected another");
        }
        items.add(item);
      } catch (PelicanException e) {
        throw new PelicanException(name + ", line " + number + ": " + e.getMessage(), e);
      }
    }
    if (items.isEmpty()) {
      throw new PelicanException(name + ": no prompts, expected JSON objects, one a line");
    }
    return new Dataset(name, Digest.of(bytes), items);
  }

  /** The same set with at most so many prompts of each category. */
  public Dataset limited(int perCategory) {
    Map<String, Integer> counts = new HashMap<>();
    return new Dataset(
        name,
        digest,
        items.stream()
            .filter(item -> counts.merge(item.category(), 1, Integer::sum) <= perCategory)
            .toList());
  }
}
