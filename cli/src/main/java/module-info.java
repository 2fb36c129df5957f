/** The command line and the HTTP server. */
module pelican.cli {
  requires info.picocli;
  requires org.jline.reader;
  requires org.jline.terminal;
  requires pelican.engine;
  requires pelican.models;
  requires me.tongfei.progressbar;
  requires tools.jackson.databind;
}
