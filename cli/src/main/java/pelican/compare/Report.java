package pelican.compare;

import java.util.List;

/**
 * What a comparison found, whole or so far. Lists have one element for each model, the reference
 * first, unless they say otherwise.
 *
 * @param created when, ISO 8601
 * @param complete whether nothing is missing
 * @param missing what is missing, one sentence each
 * @param notes what has to be known to read the rest, the most important first
 * @param models files and what they take
 * @param metadata metadata side by side
 * @param weights errors of tensors, for each model but the reference
 * @param quality divergence, for each model but the reference
 * @param behaviourSummary answers, counted
 * @param behaviours answers, by prompt
 * @param speed rates
 * @param texts tokens with their divergence
 * @param worst positions of greatest divergence
 * @param blocks blocks of weights to look into
 * @param samples for the precision viewer: of each model's worst tensors the first block and the
 *     one with the greatest error
 */
public record Report(
    String created,
    boolean complete,
    List<String> missing,
    List<String> notes,
    List<ModelFacts> models,
    List<ModelFacts.MetadataRow> metadata,
    List<Weights> weights,
    List<Measured> quality,
    List<Behaviour.Summary> behaviourSummary,
    List<Behaviour> behaviours,
    List<Speed> speed,
    List<Quality.Marked> texts,
    List<Quality.Worst> worst,
    List<BlockView> blocks,
    List<BlockView> samples) {
  /**
   * Errors of a model's tensors.
   *
   * @param relativeRms over all tensors, see {@link WeightError#overall}
   * @param tensors each tensor's
   * @param worst the ten with the greatest relative error
   */
  record Weights(
      String model, double relativeRms, List<WeightError> tensors, List<WeightError> worst) {}

  /** Divergence of a model from the reference. */
  record Measured(String model, DivergenceStatistics statistics) {}
}
