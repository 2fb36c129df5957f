/** The command line and the HTTP server. */
module pelican.cli {
  requires info.picocli;
  requires org.jline;
  requires pelican.engine;
  requires pelican.models;
  requires progressbar;
  requires tools.jackson.databind;
}
