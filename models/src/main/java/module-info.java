/** Where models come from: names, Ollama's store, registries, the demo model. */
module pelican.models {
  requires pelican.engine;
  requires tools.jackson.databind;

  exports pelican.models.quantize;
}
