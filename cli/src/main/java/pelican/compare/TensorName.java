package pelican.compare;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The parts of a tensor's name.
 *
 * @param layer the number of its layer; -1 outside of layers
 * @param kind {@code attn_q} of {@code blk.3.attn_q.weight}; {@code token_embd} of {@code
 *     token_embd.weight}
 */
record TensorName(int layer, String kind) {
  private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,6})\\.(.+?)(\\.weight)?");

  static TensorName of(String name) {
    Matcher matcher = LAYER.matcher(name);
    return matcher.matches()
        ? new TensorName(Integer.parseInt(matcher.group(1)), matcher.group(2))
        : new TensorName(-1, name.replaceAll("\\.weight$", ""));
  }
}
