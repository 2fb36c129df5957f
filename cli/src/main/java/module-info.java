/** The command line and the HTTP server. */
module pelican.cli {
  requires java.xml;
  requires info.picocli;
  requires java.management;
  requires java.logging;
  requires java.net.http;
  requires jdk.jfr;
  requires jdk.management;
  requires jdk.unsupported;
  requires me.tongfei.progressbar;
  requires org.eclipse.jetty.http;
  requires org.eclipse.jetty.io;
  requires org.eclipse.jetty.server;
  requires org.eclipse.jetty.util;
  requires org.jline.reader;
  requires org.jline.terminal;
  requires pelican.engine;
  requires pelican.models;
  requires tools.jackson.databind;

  opens pelican.cli to
      info.picocli;
  opens pelican.compare to
      tools.jackson.databind;
  opens pelican.eval to
      tools.jackson.databind;
}
