package pelican.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import pelican.engine.PelicanException;
import pelican.server.Environment;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Asks a running server, Pelican's or Ollama's, where OLLAMA_HOST says it is. */
final class ServerClient {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
  private final Environment environment = Environment.ofProcess();
  private final String base;

  ServerClient() {
    Environment.Address address = environment.host();
    String host = address.host();
    boolean any = host.isEmpty() || host.equals("0.0.0.0") || host.equals("::");
    String reached = any ? "127.0.0.1" : host.contains(":") ? "[" + host + "]" : host;
    base = "http://" + reached + ":" + address.port();
  }

  /** A response's status and its JSON. */
  record Answer(int status, JsonNode json) {}

  /**
   * @param body JSON to post, or null to get
   * @throws PelicanException if no server answers, or not with JSON
   */
  Answer ask(String path, String body) {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path)).timeout(TIMEOUT);
    environment
        .value("PELICAN_API_KEY")
        .ifPresent(key -> request.header("Authorization", "Bearer " + key));
    if (body != null) {
      request.POST(HttpRequest.BodyPublishers.ofString(body));
    }
    try {
      HttpResponse<byte[]> response =
          http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
      return new Answer(response.statusCode(), JsonMapper.shared().readTree(response.body()));
    } catch (IOException e) {
      throw new PelicanException("no server answers at " + base + ": is one running?", e);
    } catch (JacksonException e) {
      throw new PelicanException(base + path + " answers with something else than JSON", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PelicanException("interrupted while waiting for " + base, e);
    }
  }
}
