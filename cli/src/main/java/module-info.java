/** The command line and the HTTP server. */
module pelican.cli {
  requires java.xml;
  requires info.picocli;
  requires jdk.unsupported;
  requires me.tongfei.progressbar;
  requires org.jline.reader;
  requires org.jline.terminal;
  requires pelican.engine;
  requires pelican.models;
  requires tools.jackson.databind;

  opens pelican.cli to
      info.picocli;
  opens pelican.compare to
      tools.jackson.databind;
}
