package pelican.grammar.regex;

import java.util.Arrays;

/** How states lead to the end of a text. */
final class Ways {
  /** The fewest bytes. */
  final int[] bytes;

  /** The fewest characters of those ways. */
  private final int[] charactersOfBytes;

  /** The fewest characters. */
  private final int[] characters;

  /** The fewest bytes of those ways. */
  private final int[] bytesOfCharacters;

  Ways(int states) {
    bytes = new int[states];
    charactersOfBytes = new int[states];
    characters = new int[states];
    bytesOfCharacters = new int[states];
  }

  /**
   * @param fewBytes bytes in the upper half, characters in the lower
   * @param fewCharacters the other way round
   */
  void set(int state, long fewBytes, long fewCharacters) {
    bytes[state] = (int) (fewBytes >> 32);
    charactersOfBytes[state] = (int) fewBytes;
    characters[state] = (int) (fewCharacters >> 32);
    bytesOfCharacters[state] = (int) fewCharacters;
  }

  /** The bytes of a way of at most so many characters; there may be one of fewer bytes. */
  int bytes(int state, int most) {
    if (most >= charactersOfBytes[state]) {
      return bytes[state];
    }
    return most >= characters[state] ? bytesOfCharacters[state] : Automaton.NEVER;
  }

  int characters(int state) {
    return characters[state];
  }

  /** As many characters as the shortest way from any state has at most. */
  int mostCharacters() {
    return Arrays.stream(charactersOfBytes).max().orElse(0);
  }
}
