package pelican.grammar.regex;

/** Whose idea of classes as {@code \s}, {@code \w}, {@code \d} and the dot is followed. */
public enum Dialect {
  /** A character is of a class only if ECMA-262, Java, Python and Rust all think so. */
  ALL,
  ECMA,
  /** A character is of a class if one of them thinks so. */
  ANY
}
