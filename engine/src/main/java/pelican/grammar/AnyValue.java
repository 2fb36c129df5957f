package pelican.grammar;

import java.util.ArrayList;
import java.util.List;

/** JSON without a schema, of bounded size and depth. */
final class AnyValue {
  /** The most levels of arrays and objects within each other. */
  static final int DEPTH = 16;

  private static final List<Node> NODES = nodes();

  private AnyValue() {}

  /** Any value of so many levels at most. */
  static Node ofDepth(int depth) {
    return NODES.get(depth);
  }

  /** Nodes by depth left; created from the innermost outwards. */
  private static List<Node> nodes() {
    List<Node> nodes = new ArrayList<>();
    for (int depth = 0; depth <= DEPTH; depth++) {
      List<Node> options = new ArrayList<>(SchemaCompiler.scalars());
      if (depth > 0) {
        Node inner = nodes.getLast();
        options.add(array(inner));
        options.add(object(inner));
      }
      Choice choice = new Choice(options);
      choice.update();
      nodes.add(choice);
    }
    return List.copyOf(nodes);
  }

  static Node array(Node element) {
    return new ArrayShape.Opening(
        new ArrayShape(List.of(), element, 0, SchemaCompiler.MOST_ELEMENTS));
  }

  static Node object(Node value) {
    return new ObjectShape.Opening(ObjectShape.of(value));
  }
}
