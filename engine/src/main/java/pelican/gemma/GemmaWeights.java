package pelican.gemma;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import pelican.gguf.GgufException;
import pelican.gguf.GgufFile;
import pelican.gguf.TensorInfo;
import pelican.kernel.Matrix;
import pelican.quant.BlockFormat;

/**
 * The weights of a Gemma 4 model: matrices stay where the file is mapped, the small vectors (norms,
 * scales) are decoded.
 *
 * @param tokenEmbedding [vocabulary][embedding]
 * @param output [vocabulary][embedding]; the token embedding where the file has none of its own
 * @param outputNorm of the last layer's output
 * @param ropeFactors divisors of the rotation frequencies of global layers, keyLength/2 of them
 * @param perLayerEmbedding [vocabulary][layers · perLayerInput], or null
 * @param perLayerModelProj [layers · perLayerInput][embedding], or null
 * @param perLayerProjNorm of each layer's part of the projection, or null
 */
record GemmaWeights(
    Matrix tokenEmbedding,
    Matrix output,
    float[] outputNorm,
    float[] ropeFactors,
    Matrix perLayerEmbedding,
    Matrix perLayerModelProj,
    float[] perLayerProjNorm,
    LayerWeights[] layers) {

  /**
   * Finds and checks every tensor.
   *
   * @throws GgufException if one is missing, has another shape than the configuration asks for, or
   *     a type that the engine cannot decode
   */
  static GemmaWeights load(GgufFile file, GemmaConfig config) {
    return new Loader(file, config).load();
  }

  /** The number of tokens in the vocabulary. */
  int vocabulary() {
    return tokenEmbedding.rows();
  }

  private static final class Loader {
    private final GgufFile file;
    private final GemmaConfig c;

    Loader(GgufFile file, GemmaConfig config) {
      this.file = file;
      this.c = config;
    }

    GemmaWeights load() {
      int vocabulary = file.metadata().strings("tokenizer.ggml.tokens").size();
      Matrix embedding = matrix("token_embd.weight", vocabulary, c.embedding());
      Matrix output =
          has("output.weight") ? matrix("output.weight", vocabulary, c.embedding()) : embedding;
      LayerWeights[] layers = new LayerWeights[c.layers()];
      for (int i = 0; i < layers.length; i++) {
        layers[i] = layer(i);
      }
      int perLayer = Math.multiplyExact(c.layers(), c.perLayerInput());
      boolean ple = c.perLayerInput() > 0;
      return new GemmaWeights(
          embedding,
          output,
          vector("output_norm.weight", c.embedding()),
          ropeFactors(),
          ple ? matrix("per_layer_token_embd.weight", vocabulary, perLayer) : null,
          ple ? matrix("per_layer_model_proj.weight", perLayer, c.embedding()) : null,
          ple ? vector("per_layer_proj_norm.weight", c.perLayerInput()) : null,
          layers);
    }

    private float[] ropeFactors() {
      if (has("rope_freqs.weight")) {
        return vector("rope_freqs.weight", c.keyLength() / 2);
      }
      float[] ones = new float[c.keyLength() / 2];
      Arrays.fill(ones, 1f);
      return ones;
    }

    private LayerWeights layer(int layer) {
      String p = "blk." + layer + ".";
      int h = c.embedding();
      int head = c.headSize(layer);
      int q = c.heads() * head;
      int kv = c.kvHeads()[layer] * head;
      int ff = c.feedForward()[layer];
      boolean owns = c.ownsKv(layer);
      boolean ple = c.perLayerInput() > 0;
      boolean ownValues = owns && has(p + "attn_v.weight");
      return new LayerWeights(
          vector(p + "attn_norm.weight", h),
          matrix(p + "attn_q.weight", q, h),
          vector(p + "attn_q_norm.weight", head),
          owns ? matrix(p + "attn_k.weight", kv, h) : null,
          owns ? vector(p + "attn_k_norm.weight", head) : null,
          ownValues ? matrix(p + "attn_v.weight", kv, h) : null,
          matrix(p + "attn_output.weight", h, q),
          vector(p + "post_attention_norm.weight", h),
          vector(p + "ffn_norm.weight", h),
          matrix(p + "ffn_gate.weight", ff, h),
          matrix(p + "ffn_up.weight", ff, h),
          matrix(p + "ffn_down.weight", h, ff),
          vector(p + "post_ffw_norm.weight", h),
          ple ? matrix(p + "inp_gate.weight", c.perLayerInput(), h) : null,
          ple ? matrix(p + "proj.weight", h, c.perLayerInput()) : null,
          ple ? vector(p + "post_norm.weight", h) : null,
          has(p + "layer_output_scale.weight") ? vector(p + "layer_output_scale.weight", 1)[0] : 1f,
          c.experts() > 0 ? experts(p) : null);
    }

    private LayerWeights.Experts experts(String p) {
      int h = c.embedding();
      int inner = c.expertFeedForward();
      float[] routerScale = vector(p + "ffn_gate_inp.scale", h);
      for (int i = 0; i < h; i++) {
        routerScale[i] /= (float) Math.sqrt(h);
      }
      return new LayerWeights.Experts(
          matrix(p + "ffn_gate_inp.weight", c.experts(), h),
          routerScale,
          matrices(p + "ffn_gate_up_exps.weight", 2 * inner, h),
          matrices(p + "ffn_down_exps.weight", h, inner),
          vector(p + "ffn_down_exps.scale", c.experts()),
          vector(p + "pre_ffw_norm_2.weight", h),
          vector(p + "post_ffw_norm_1.weight", h),
          vector(p + "post_ffw_norm_2.weight", h));
    }

    private boolean has(String name) {
      return file.find(name).isPresent();
    }

    private Matrix matrix(String name, int rows, int columns) {
      TensorInfo tensor = tensor(name, columns, rows);
      return new Matrix(name, format(tensor), rows, columns, file.data(tensor));
    }

    private Matrix[] matrices(String name, int rows, int columns) {
      TensorInfo tensor = tensor(name, columns, rows, c.experts());
      MemorySegment data = file.data(tensor);
      long bytes = data.byteSize() / c.experts();
      Matrix[] matrices = new Matrix[c.experts()];
      for (int e = 0; e < matrices.length; e++) {
        matrices[e] =
            new Matrix(
                name + "[" + e + "]",
                format(tensor),
                rows,
                columns,
                data.asSlice(e * bytes, bytes));
      }
      return matrices;
    }

    private float[] vector(String name, int size) {
      TensorInfo tensor = tensor(name, size);
      float[] values = new float[size];
      format(tensor).dequantize(file.data(tensor), 0, values, 0, size);
      return values;
    }

    private BlockFormat format(TensorInfo tensor) {
      if (!BlockFormat.supports(tensor.type())) {
        throw new GgufException(
            file.path()
                + ": tensor "
                + tensor.name()
                + " has type "
                + tensor.type()
                + ", which this engine does not decode");
      }
      return BlockFormat.of(tensor.type());
    }

    private TensorInfo tensor(String name, long... dims) {
      TensorInfo tensor = file.tensor(name);
      List<Long> expected = Arrays.stream(dims).boxed().toList();
      if (!tensor.dims().equals(expected)) {
        throw new GgufException(
            file.path()
                + ": tensor "
                + name
                + " has shape "
                + shape(tensor.dims())
                + ", expected "
                + shape(expected));
      }
      return tensor;
    }

    private static String shape(List<Long> dims) {
      return dims.stream().map(String::valueOf).collect(Collectors.joining("×"));
    }
  }
}
