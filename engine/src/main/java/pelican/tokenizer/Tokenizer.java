package pelican.tokenizer;

import java.io.ByteArrayOutputStream;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import pelican.gguf.GgufException;
import pelican.gguf.GgufMetadata;
import pelican.gguf.Quote;

/**
 * Text to token ids and back, as a Gemma model's GGUF file states it: byte-pair merges ({@code
 * tokenizer.ggml.model = gemma4}) or SentencePiece scores ({@code llama}), with bytes for
 * characters that the vocabulary lacks. Immutable; may be used by many threads.
 */
public final class Tokenizer {
  private static final String MODEL = "tokenizer.ggml.model";

  /** What a space is in a token: U+2581. */
  private static final byte[] SPACE = {(byte) 0xe2, (byte) 0x96, (byte) 0x81};

  /** Tokens that end a model's turn, whatever the file calls its end of sequence. */
  private static final List<String> TURN_ENDS = List.of("<eos>", "<turn|>", "<|tool_response>");

  private final Vocabulary vocabulary;
  private final MergeRule rule;
  private final CharacterPairs pairs;
  private final SpecialTokens specials;

  /** Merges rather than scores. */
  private final boolean merges;

  private final boolean spacePrefix;
  private final boolean addBos;
  private final int bos;
  private final Set<Integer> endOfGeneration;

  private Tokenizer(GgufMetadata metadata, boolean merges) {
    this.merges = merges;
    vocabulary = Vocabulary.from(metadata);
    rule = merges ? MergeRanks.from(metadata, vocabulary) : TokenScores.from(metadata, vocabulary);
    pairs = new CharacterPairs(vocabulary);
    specials = new SpecialTokens(vocabulary);
    spacePrefix = metadata.bool("tokenizer.ggml.add_space_prefix", false);
    addBos = metadata.bool("tokenizer.ggml.add_bos_token", true);
    bos = vocabulary.id(metadata, "tokenizer.ggml.bos_token_id");
    vocabulary.optionalId(metadata, "tokenizer.ggml.padding_token_id");
    Set<Integer> ends = new TreeSet<>();
    ends.add(vocabulary.id(metadata, "tokenizer.ggml.eos_token_id"));
    int endOfTurn = vocabulary.optionalId(metadata, "tokenizer.ggml.eot_token_id");
    if (endOfTurn >= 0) {
      ends.add(endOfTurn);
    }
    for (String end : TURN_ENDS) {
      int id = id(end);
      if (id >= 0 && isControl(id)) {
        ends.add(id);
      }
    }
    endOfGeneration = Set.copyOf(ends);
  }

  /**
   * The tokenizer of a model file.
   *
   * @throws GgufException if the file has none, an unknown kind, or a contradictory one
   */
  public static Tokenizer from(GgufMetadata metadata) {
    String model = metadata.string(MODEL);
    return switch (model) {
      case "gemma4" -> new Tokenizer(metadata, true);
      case "llama" -> new Tokenizer(metadata, metadata.has(MergeRanks.KEY));
      default ->
          throw new GgufException(
              String.format(
                  "%s: metadata %s is %s, expected 'gemma4' or 'llama'",
                  metadata.path(), MODEL, Quote.quote(model)));
    };
  }

  /**
   * The tokens of a text, without a token for its beginning.
   *
   * @param control whether control tokens in the text are recognised; never for what a user typed
   */
  public int[] encode(String text, boolean control) {
    return encode(List.of(new TextSegment(text, control)));
  }

  /**
   * The tokens of a text that is made of segments. Control tokens are recognised only within those
   * that allow it; otherwise the segments are one text, in which tokens may span their borders.
   */
  public int[] encode(List<TextSegment> segments) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    BitSet control = new BitSet();
    for (TextSegment segment : segments) {
      int from = all.size();
      all.writeBytes(Utf8.bytes(segment.text()));
      control.set(from, all.size(), segment.control());
    }
    byte[] text = all.toByteArray();
    IntList out = new IntList();
    PairMerger merger = new PairMerger(vocabulary, rule, pairs);
    int at = 0;
    for (SpecialTokens.Match match : specials.find(text, control)) {
      plain(text, at, match.from(), merger, out);
      out.add(match.id());
      at = match.to();
    }
    plain(text, at, text.length, merger, out);
    return out.toArray();
  }

  /** Text between special tokens, or before the first one or after the last. */
  private void plain(byte[] raw, int from, int to, PairMerger merger, IntList out) {
    if (from == to) {
      return;
    }
    byte[] text = withSpacesMarked(raw, from, to, spacePrefix && !merges);
    if (!merges) {
      merger.encode(text, 0, text.length, out);
      return;
    }
    // Runs of newlines and runs of all else, which never merge.
    int begin = 0;
    while (begin < text.length) {
      boolean newlines = text[begin] == '\n';
      int end = begin;
      while (end < text.length && text[end] == '\n' == newlines) {
        end++;
      }
      int whole = newlines ? vocabulary.findText(text, begin, end) : -1;
      if (whole >= 0) {
        out.add(whole);
      } else {
        merger.encode(text, begin, end, out);
      }
      begin = end;
    }
  }

  private static byte[] withSpacesMarked(byte[] raw, int from, int to, boolean prefix) {
    ByteArrayOutputStream marked = new ByteArrayOutputStream(to - from + 16);
    if (prefix) {
      marked.writeBytes(SPACE);
    }
    for (int i = from; i < to; i++) {
      if (raw[i] == ' ') {
        marked.writeBytes(SPACE);
      } else {
        marked.write(raw[i]);
      }
    }
    return marked.toByteArray();
  }

  /** A decoder of a stream of tokens. */
  public TokenDecoder decoder() {
    return new TokenDecoder(this);
  }

  /** The text of tokens; bytes that are no UTF-8 become U+FFFD. */
  public String decode(int[] ids) {
    TokenDecoder decoder = decoder();
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(decoder.accept(id));
    }
    return text.append(decoder.finish()).toString();
  }

  /**
   * The bytes that a token adds to a text.
   *
   * @throws IndexOutOfBoundsException if there is no such token
   */
  public byte[] bytes(int id) {
    byte[] bytes = vocabulary.bytes(id);
    switch (vocabulary.type(id)) {
      case Vocabulary.BYTE -> {
        return new byte[] {(byte) vocabulary.byteValue(id)};
      }
      case Vocabulary.CONTROL, Vocabulary.USER_DEFINED, Vocabulary.UNKNOWN -> {
        return bytes;
      }
      default -> {
        return withMarksAsSpaces(bytes);
      }
    }
  }

  private static byte[] withMarksAsSpaces(byte[] bytes) {
    ByteArrayOutputStream text = new ByteArrayOutputStream(bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      boolean mark =
          i + 2 < bytes.length
              && bytes[i] == SPACE[0]
              && bytes[i + 1] == SPACE[1]
              && bytes[i + 2] == SPACE[2];
      if (mark) {
        text.write(' ');
        i += 2;
      } else {
        text.write(bytes[i]);
      }
    }
    return text.toByteArray();
  }

  /** A token as the vocabulary writes it. */
  public String text(int id) {
    return vocabulary.text(id);
  }

  /** The token that the vocabulary writes so, or -1. */
  public int id(String token) {
    byte[] bytes = Utf8.bytes(token);
    return vocabulary.find(bytes, 0, bytes.length);
  }

  /** The number of tokens. */
  public int size() {
    return vocabulary.size();
  }

  /** The token that a sequence begins with. */
  public int bos() {
    return bos;
  }

  /** Whether the model expects {@link #bos()} before every text. */
  public boolean addBos() {
    return addBos;
  }

  /**
   * Whether the file asks for a space before every run of text. It is heeded where the file merges
   * by scores, as SentencePiece does; merges know no such space.
   */
  public boolean addSpacePrefix() {
    return spacePrefix;
  }

  /** Whether a token is markup of the prompt format rather than text. */
  public boolean isControl(int id) {
    return vocabulary.isControl(id);
  }

  /** The tokens after which a model has nothing more to say. */
  public Set<Integer> endOfGeneration() {
    return endOfGeneration;
  }
}
