package pelican.gemma;

import pelican.kernel.Matrix;

/**
 * The weights of one layer; names as in GGUF, without the prefix {@code blk.N.}. Null where a layer
 * has no such tensor: {@code attnK}, {@code attnKNorm} in layers that share the KV of another;
 * {@code attnV} there and where values are made from the keys' projection; {@code inpGate}, {@code
 * proj}, {@code postNorm} without per-layer embeddings; {@code experts} without a mixture of
 * experts.
 */
record LayerWeights(
    float[] attnNorm,
    Matrix attnQ,
    float[] attnQNorm,
    Matrix attnK,
    float[] attnKNorm,
    Matrix attnV,
    Matrix attnOutput,
    float[] postAttentionNorm,
    float[] ffnNorm,
    Matrix ffnGate,
    Matrix ffnUp,
    Matrix ffnDown,
    float[] postFfwNorm,
    Matrix inpGate,
    Matrix proj,
    float[] postNorm,
    float outputScale,
    Experts experts) {

  /**
   * The mixture of experts beside the dense feed-forward network.
   *
   * @param router scores of the experts, [experts][embedding]
   * @param routerScale factors of the router's input, divided by √embedding already
   * @param gateUp of each expert, [2 · inner][embedding]: the gate's rows, then the up-projection's
   * @param down of each expert, [embedding][inner]
   * @param downScale factor of each expert's output
   * @param preNorm of the experts' input
   * @param densePostNorm of the dense network's output
   * @param postNorm of the experts' sum
   */
  record Experts(
      Matrix router,
      float[] routerScale,
      Matrix[] gateUp,
      Matrix[] down,
      float[] downScale,
      float[] preNorm,
      float[] densePostNorm,
      float[] postNorm) {}
}
