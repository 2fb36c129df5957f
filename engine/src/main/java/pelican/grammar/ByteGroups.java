package pelican.grammar;

import java.util.HashSet;
import java.util.Set;

/**
 * Bytes by groups, a bit each, so that it is known at once whether a state stays as it is whatever
 * is read of some groups. All characters beyond ASCII are one group.
 */
final class ByteGroups {
  /** All of no group: bytes that are not UTF-8. */
  static final long MALFORMED = 1L << 63;

  private static final int WIDE = 62;

  /** The groups of ASCII by their first and last bytes; all others are groups by themselves. */
  private static final String RANGES = "\0\37" + "09" + "AF" + "GZ" + "af" + "gz";

  private static final int[] GROUPS = new int[128];
  private static final int COUNT;

  static {
    int count = 0;
    int[] ranges = new int[RANGES.length()];
    for (int value = 0; value < 128; value++) {
      int range = -1;
      for (int i = 0; i < RANGES.length(); i += 2) {
        if (value >= RANGES.charAt(i) && value <= RANGES.charAt(i + 1)) {
          range = i;
        }
      }
      if (range < 0) {
        GROUPS[value] = count++;
      } else {
        ranges[range] = value == RANGES.charAt(range) ? count++ : ranges[range];
        GROUPS[value] = ranges[range];
      }
    }
    COUNT = count;
  }

  private ByteGroups() {}

  static long of(int value) {
    return 1L << (value < 128 ? GROUPS[value] : WIDE);
  }

  /**
   * Those of some groups of which every character leads from a state to itself.
   *
   * @param groups bits of groups
   */
  static long loops(State state, long groups) {
    long loops = 0;
    for (long left = groups & ~MALFORMED; left != 0; left &= left - 1) {
      int group = Long.numberOfTrailingZeros(left);
      if (group == WIDE ? wide(state) : group < COUNT && narrow(state, group)) {
        loops |= 1L << group;
      }
    }
    return loops;
  }

  private static boolean narrow(State state, int group) {
    for (int value = 0; value < 128; value++) {
      if (GROUPS[value] == group && state.step(value) != state) {
        return false;
      }
    }
    return true;
  }

  /** Whether every character of several bytes leads back. */
  private static boolean wide(State state) {
    Set<Object> seen = new HashSet<>();
    for (int lead = 0xc2; lead <= 0xf4; lead++) {
      int low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
      int high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
      int more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
      if (!leadsBack(state.step(lead), more, low, high, state, seen)) {
        return false;
      }
    }
    return true;
  }

  private record Place(State at, int more, int low, int high) {}

  private static boolean leadsBack(
      State at, int more, int low, int high, State state, Set<Object> seen) {
    if (more == 0) {
      return at == state;
    }
    if (seen.add(new Place(at, more, low, high))) {
      for (int value = low; value <= high; value++) {
        if (!leadsBack(at.step(value), more - 1, 0x80, 0xbf, state, seen)) {
          return false;
        }
      }
    }
    return true;
  }
}
