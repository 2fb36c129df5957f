/** Measurements: kernels under JMH, synthetic full-size models, comparison with other engines. */
module pelican.bench {
  requires pelican.engine;
  requires pelican.models;
}
