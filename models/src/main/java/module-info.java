/** Where models come from: names, Ollama's store, registries, the demo model. */
module pelican.models {
  requires java.net.http;
  requires transitive pelican.engine;
  requires transitive tools.jackson.databind;

  exports pelican.models;
  exports pelican.models.quantize;
}
