package pelican.cli;

import java.util.Arrays;
import pelican.engine.PelicanException;

/** Token ids as users write them: numbers with commas or spaces between. */
final class TokenIds {
  private TokenIds() {}

  /**
   * @param vocabulary the number of tokens
   * @throws PelicanException naming what is no id
   */
  static int[] parse(String text, int vocabulary) {
    return Arrays.stream(text.strip().split("[\\s,\\[\\]]+"))
        .filter(word -> !word.isEmpty())
        .mapToInt(word -> {
          int id = word.matches("[0-9]{1,9}") ? Integer.parseInt(word) : -1;
          if (id < 0 || id >= vocabulary) {
            throw new PelicanException(
                "token '" + word + "', expected a number from 0 to " + (vocabulary - 1));
          }
          return id;
        })
        .toArray();
  }
}
