package pelican.compare;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import pelican.engine.PelicanException;

/** Which blocks of weights a report shows. */
final class SampleBlocks {
  private SampleBlocks() {}

  /**
   * Blocks that the user asked for.
   *
   * @param wanted each as {@code TENSOR:NUMBER}
   * @throws PelicanException if one is no such text, or there is no such block
   */
  static List<BlockView> asked(List<BlockView.Source> sources, List<String> wanted) {
    List<BlockView> found = new ArrayList<>();
    for (String each : wanted) {
      int colon = each.lastIndexOf(':');
      if (colon < 0 || !each.substring(colon + 1).matches("\\d{1,15}")) {
        throw new PelicanException("block is '" + each + "', expected TENSOR:NUMBER");
      }
      long number = Long.parseLong(each.substring(colon + 1));
      found.add(BlockView.of(sources, each.substring(0, colon), number));
    }
    return found;
  }

  /** The block with the greatest error of the first of some tensors that all files share. */
  static List<BlockView> worst(List<BlockView.Source> sources, List<WeightError> tensors) {
    Set<String> common = common(sources);
    return tensors.stream()
        .filter(error -> common.contains(error.tensor()))
        .limit(1)
        .map(error -> BlockView.of(sources, error.tensor(), worstBlock(error)))
        .toList();
  }

  /**
   * Of each tensor the first block and the one with the greatest error of each model.
   *
   * @param worst tensors of each model but the reference
   */
  static List<BlockView> ofTensors(List<BlockView.Source> sources, List<List<WeightError>> worst) {
    Set<String> common = common(sources);
    Map<String, SortedSet<Long>> places = new LinkedHashMap<>();
    for (List<WeightError> errors : worst) {
      for (WeightError error : errors) {
        if (common.contains(error.tensor())) {
          SortedSet<Long> own = places.computeIfAbsent(error.tensor(), key -> new TreeSet<>());
          own.add(0L);
          own.add(worstBlock(error));
        }
      }
    }
    List<BlockView> views = new ArrayList<>();
    places.forEach((tensor, numbers) ->
        numbers.forEach(number -> views.add(BlockView.of(sources, tensor, number))));
    return views;
  }

  private static long worstBlock(WeightError error) {
    return error.maxAt() / BlockView.WEIGHTS;
  }

  private static Set<String> common(List<BlockView.Source> sources) {
    return BlockView.choices(sources).stream()
        .map(BlockView.Choice::tensor)
        .collect(Collectors.toUnmodifiableSet());
  }
}
