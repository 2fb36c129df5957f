/** The inference engine: reads GGUF files and runs Gemma 4 models. Depends on the JDK alone. */
module pelican.engine {
  requires jdk.incubator.vector;

  exports pelican.chat;
  exports pelican.engine;
  exports pelican.grammar;
  exports pelican.sampling;
  exports pelican.tokenizer;
  exports pelican.gguf to
      pelican.models,
      pelican.cli,
      pelican.bench;
  exports pelican.kernel to
      pelican.bench;
  exports pelican.quant to
      pelican.models,
      pelican.cli,
      pelican.bench;
}
