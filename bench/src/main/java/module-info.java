/** Measurements: kernels under JMH, synthetic full-size models, comparison with other engines. */
module pelican.bench {
  requires info.picocli;
  requires jmh.core;
  requires pelican.engine;
  requires pelican.models;
  requires tools.jackson.databind;

  opens pelican.bench to
      info.picocli,
      tools.jackson.databind;
}
