package pelican.server;

import java.io.PrintStream;
import java.time.Duration;
import pelican.models.Aliases;
import pelican.models.OllamaStore;
import pelican.server.anthropic.MessageRoutes;
import pelican.server.http.AccessControl;
import pelican.server.http.Dispatcher;
import pelican.server.http.ErrorStyle;
import pelican.server.http.HttpServer;
import pelican.server.http.Origins;
import pelican.server.http.Router;
import pelican.server.inference.Catalog;
import pelican.server.inference.FormatCompiler;
import pelican.server.inference.Inference;
import pelican.server.inference.Scheduler;
import pelican.server.ollama.CreateRoutes;
import pelican.server.ollama.EmbeddingRoutes;
import pelican.server.ollama.GenerationRoutes;
import pelican.server.ollama.ModelRoutes;
import pelican.server.openai.ChatCompletionRoutes;
import pelican.server.openai.CompletionRoutes;
import pelican.server.openai.ModelListRoutes;
import pelican.server.openai.ResponseRoutes;
import pelican.server.openai.VectorRoutes;
import pelican.server.precision.PrecisionRoutes;

/** The server: models, the service that answers with them, and the routes that lead to it. */
public final class PelicanServer implements AutoCloseable {
  private final Scheduler scheduler;
  private final Inference inference;
  private final Dispatcher dispatcher;
  private final HttpServer http;

  /**
   * Makes a server that does not listen yet.
   *
   * @param log gets the access log and defects
   */
  public PelicanServer(
      ServerSettings settings, OllamaStore store, Aliases aliases, PrintStream log) {
    Catalog catalog = new Catalog(store, aliases, settings.demo());
    Origins origins = new Origins(settings.origins());
    scheduler = new Scheduler(settings.models());
    inference = new Inference(catalog, scheduler, FormatCompiler.grammars());
    Router router = new Router();
    ServerMetrics metrics = new ServerMetrics(settings.accessLog(), log);
    routes(router, settings, metrics);
    AccessControl access = new AccessControl(origins, settings.isLoopback(), settings.apiKey());
    dispatcher = new Dispatcher(router, access, settings.http(), metrics);
    http = new HttpServer(settings.host(), settings.port(), settings.http(), dispatcher);
  }

  /** Every interface adds its routes here. */
  private void routes(Router router, ServerSettings settings, ServerMetrics metrics) {
    WebPage page = new WebPage();
    router.add("GET", "/", ErrorStyle.OLLAMA, page::root);
    router.add("HEAD", "/", ErrorStyle.OLLAMA, page::root);
    router.add("GET", "/precision", ErrorStyle.OLLAMA, page::precision);
    router.add("GET", "/ui/{file...}", ErrorStyle.OLLAMA, page::file);
    router.add("GET", "/healthz", ErrorStyle.OLLAMA, exchange -> exchange.text(200, "ok"));
    router.add(
        "GET",
        "/metrics",
        ErrorStyle.OLLAMA,
        exchange -> {
          byte[] text =
              metrics
                  .text(inference, http.connections())
                  .getBytes(java.nio.charset.StandardCharsets.UTF_8);
          exchange.send(200, "text/plain; version=0.0.4; charset=utf-8", text);
        });
    new GenerationRoutes(inference).addTo(router);
    new EmbeddingRoutes(inference).addTo(router);
    new ModelRoutes(inference, settings.version()).addTo(router);
    new CreateRoutes(inference.catalog()).addTo(router);
    new ChatCompletionRoutes(inference).addTo(router);
    new CompletionRoutes(inference).addTo(router);
    new VectorRoutes(inference).addTo(router);
    new ResponseRoutes(inference).addTo(router);
    new MessageRoutes(inference).addTo(router);
    new ModelListRoutes(inference.catalog()).addTo(router);
    new PrecisionRoutes(inference.catalog()).addTo(router);
  }

  /** Begins to listen. */
  public void start() {
    http.start();
  }

  /** The port that is listened on. */
  public int port() {
    return http.port();
  }

  /** The number of requests that are being answered, or wait for their turn. */
  public int active() {
    return http.active();
  }

  /**
   * Closes the server after what it has begun: requests that come from now on are answered with
   * 503; those that came before have some time to end by themselves.
   */
  public void shutdown(Duration grace) {
    dispatcher.refuse();
    http.awaitAnswers(grace);
    close();
  }

  /** Long enough for the last words of answers that were cut off. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(1);

  /** Accepts no more requests, ends answers that are being generated, and unloads the models. */
  @Override
  public void close() {
    http.stopAccepting();
    inference.stop();
    scheduler.close();
    http.awaitAnswers(LAST_WORDS);
    http.close();
    inference.close();
  }
}
