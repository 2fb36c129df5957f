package pelican.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Finds tokens that are matched in the raw text before anything merges: control tokens, where they
 * are allowed, and user-defined ones everywhere. Longer tokens win over shorter ones that they
 * overlap, as though the text were searched for each token in turn, longest first.
 */
final class SpecialTokens {
  /** A token found at [from, to) of the text. */
  record Match(int id, int from, int to) {
    int length() {
      return to - from;
    }
  }

  private static final Comparator<Match> BY_TOKEN =
      Comparator.comparingInt(Match::id).thenComparingInt(Match::from);

  private final Vocabulary vocabulary;

  // A trie over the tokens' bytes. Its edges are a hash table from node · 256 + byte to child, but
  // for the first edge of each node: that is child · 256 + byte in an array, since most have no
  // more.
  private int[] firsts = new int[512];
  private int[] edges = new int[1024];
  private int[] children = new int[1024];
  private int edgeCount;

  /** The token that ends at each node, or -1. */
  private int[] ends = new int[512];

  private int nodes = 1;

  /** Which bytes a token can begin with. */
  private final boolean[] begins = new boolean[256];

  private int maxLength;

  SpecialTokens(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    Arrays.fill(edges, -1);
    Arrays.fill(ends, -1);
    Arrays.fill(firsts, -1);
    for (int id = 0; id < vocabulary.size(); id++) {
      boolean special = vocabulary.isControl(id) || vocabulary.type(id) == Vocabulary.USER_DEFINED;
      if (special && vocabulary.length(id) > 0) {
        add(id);
      }
    }
  }

  private void add(int id) {
    byte[] bytes = vocabulary.bytes(id);
    int node = 0;
    for (byte b : bytes) {
      node = childOrNew(node, b & 0xff);
    }
    if (ends[node] < 0) {
      ends[node] = id;
    }
    begins[bytes[0] & 0xff] = true;
    maxLength = Math.max(maxLength, bytes.length);
  }

  private int childOrNew(int node, int value) {
    int child = child(node, value);
    if (child >= 0) {
      return child;
    }
    if (nodes == ends.length) {
      ends = Arrays.copyOf(ends, 2 * nodes);
      Arrays.fill(ends, nodes, 2 * nodes, -1);
      firsts = Arrays.copyOf(firsts, 2 * nodes);
      Arrays.fill(firsts, nodes, 2 * nodes, -1);
    }
    if (firsts[node] < 0) {
      firsts[node] = nodes << 8 | value;
    } else {
      if (2 * ++edgeCount > edges.length) {
        growEdges();
      }
      int at = place(node << 8 | value);
      edges[at] = node << 8 | value;
      children[at] = nodes;
    }
    return nodes++;
  }

  /** The node that a byte leads to, or -1. */
  private int child(int node, int value) {
    int first = firsts[node];
    if (first < 0 || (first & 0xff) == value) {
      return first >> 8;
    }
    int at = place(node << 8 | value);
    return edges[at] < 0 ? -1 : children[at];
  }

  private void growEdges() {
    int[] oldEdges = edges;
    int[] oldChildren = children;
    edges = new int[2 * oldEdges.length];
    children = new int[edges.length];
    Arrays.fill(edges, -1);
    for (int i = 0; i < oldEdges.length; i++) {
      if (oldEdges[i] >= 0) {
        int at = place(oldEdges[i]);
        edges[at] = oldEdges[i];
        children[at] = oldChildren[i];
      }
    }
  }

  private int place(int edge) {
    int mask = edges.length - 1;
    int at = (edge * 0x9e3779b9 >>> 8) & mask;
    while (edges[at] >= 0 && edges[at] != edge) {
      at = at + 1 & mask;
    }
    return at;
  }

  /**
   * The tokens in a text, in order and without overlap.
   *
   * @param control the bytes where control tokens may be
   */
  List<Match> find(byte[] text, BitSet control) {
    // Only the longest match at each place is held; a shorter one takes its turn if that is
    // refused.
    List<List<Match>> byLength = new ArrayList<>();
    for (int i = 0; i <= maxLength; i++) {
      byLength.add(new ArrayList<>());
    }
    for (int from = 0; from < text.length; from++) {
      if (begins[text[from] & 0xff]) {
        addLongest(text, from, text.length, control, byLength);
      }
    }
    boolean[] taken = new boolean[text.length];
    List<Match> kept = new ArrayList<>();
    for (int length = maxLength; length > 0; length--) {
      List<Match> matches = byLength.get(length);
      matches.sort(BY_TOKEN);
      for (Match match : matches) {
        int blocked = match.from();
        while (blocked < match.to() && !taken[blocked]) {
          blocked++;
        }
        if (blocked == match.to()) {
          Arrays.fill(taken, match.from(), match.to(), true);
          kept.add(match);
        } else if (blocked > match.from()) {
          addLongest(text, match.from(), blocked, control, byLength);
        }
      }
    }
    kept.sort(Comparator.comparingInt(Match::from));
    return kept;
  }

  private void addLongest(
      byte[] text, int from, int limit, BitSet control, List<List<Match>> byLength) {
    int longest = -1;
    int end = from;
    int node = 0;
    for (int at = from; at < limit; at++) {
      node = child(node, text[at] & 0xff);
      if (node < 0) {
        break;
      }
      int id = ends[node];
      if (id >= 0 && (!vocabulary.isControl(id) || allowed(control, from, at + 1))) {
        longest = id;
        end = at + 1;
      }
    }
    if (longest >= 0) {
      byLength.get(end - from).add(new Match(longest, from, end));
    }
  }

  private static boolean allowed(BitSet control, int from, int to) {
    int at = from;
    while (at < to && control.get(at)) {
      at++;
    }
    return at == to;
  }
}
