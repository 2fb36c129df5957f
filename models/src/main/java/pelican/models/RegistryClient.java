package pelican.models;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pelican.engine.PelicanException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Requests to a model registry. Follows redirects itself: what authorises a request to the registry
 * is never sent to another host.
 */
final class RegistryClient {
  private static final String MANIFEST_TYPE =
      "application/vnd.docker.distribution.manifest.v2+json";
  private static final int MAX_REDIRECTS = 10;
  private static final int MAX_MANIFEST = 4 << 20;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Pattern PARAMETER = Pattern.compile("(\\w+)=\"([^\"]*)\"");

  private final HttpClient http =
      HttpClient.newBuilder()
          .connectTimeout(TIMEOUT)
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();
  private final ModelName name;
  private final URI base;
  private String token;

  /**
   * @param insecure plain http instead of https
   */
  RegistryClient(ModelName name, boolean insecure) {
    this.name = name;
    base =
        URI.create(
            (insecure ? "http" : "https")
                + "://"
                + name.host()
                + "/v2/"
                + name.namespace()
                + "/"
                + name.model()
                + "/");
    if (base.getHost() == null) {
      throw new PelicanException("'" + name.host() + "' is no host name of a registry");
    }
  }

  /** The bytes of the manifest, as served. */
  byte[] manifest() throws IOException {
    HttpResponse<InputStream> response =
        send(base.resolve("manifests/" + name.tag()), Map.of("Accept", MANIFEST_TYPE));
    try (InputStream body = response.body()) {
      byte[] bytes = body.readNBytes(MAX_MANIFEST + 1);
      if (response.statusCode() == 404) {
        throw new PelicanException("pull model manifest: file does not exist");
      }
      if (response.statusCode() != 200) {
        throw new PelicanException(
            "pull model manifest: " + failure(response.statusCode(), bytes).getMessage());
      }
      if (bytes.length > MAX_MANIFEST) {
        throw new PelicanException("the manifest of " + name + " is larger than 4 MiB");
      }
      return bytes;
    }
  }

  /**
   * A part of a blob.
   *
   * @param from first byte
   * @param to last byte
   * @return the response: status 206, or 200 if the server sends the whole
   */
  HttpResponse<InputStream> blob(Digest digest, long from, long to) throws IOException {
    return send(base.resolve("blobs/" + digest), Map.of("Range", "bytes=" + from + "-" + to));
  }

  static PelicanException failure(int status, byte[] body) {
    String text = new String(body, 0, Math.min(body.length, 300), StandardCharsets.UTF_8);
    return new PelicanException(status + ": " + text.strip());
  }

  private HttpResponse<InputStream> send(URI first, Map<String, String> headers)
      throws IOException {
    HttpResponse<InputStream> response = follow(first, headers);
    if (response.statusCode() == 401 && token == null) {
      Optional<String> challenge = response.headers().firstValue("WWW-Authenticate");
      response.body().close();
      if (challenge.isPresent()) {
        token = fetchToken(challenge.get());
        response = follow(first, headers);
      }
    }
    if (response.statusCode() == 401) {
      response.body().close();
      throw new PelicanException("unauthorized: access denied to " + name);
    }
    return response;
  }

  private HttpResponse<InputStream> follow(URI first, Map<String, String> headers)
      throws IOException {
    URI uri = first;
    for (int i = 0; i <= MAX_REDIRECTS; i++) {
      HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(TIMEOUT).GET();
      request.header("User-Agent", "pelican");
      headers.forEach(request::header);
      if (token != null && sameHost(uri, base)) {
        request.header("Authorization", "Bearer " + token);
      }
      HttpResponse<InputStream> response = exchange(request.build());
      int status = response.statusCode();
      Optional<String> location = response.headers().firstValue("Location");
      if (status / 100 != 3 || location.isEmpty()) {
        return response;
      }
      response.body().close();
      uri = redirected(uri, location.get());
    }
    throw new PelicanException("more than " + MAX_REDIRECTS + " redirects from " + first);
  }

  private static URI redirected(URI from, String location) {
    try {
      URI uri = from.resolve(location);
      boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      boolean weaker = "https".equals(from.getScheme()) && "http".equals(uri.getScheme());
      if (!web || weaker) {
        throw new PelicanException("insecure redirect from " + from + " to " + uri);
      }
      return uri;
    } catch (IllegalArgumentException e) {
      throw new PelicanException(from + " redirects to '" + location + "', which is no URL", e);
    }
  }

  private static boolean sameHost(URI a, URI b) {
    return a.getScheme().equals(b.getScheme())
        && a.getHost().equalsIgnoreCase(b.getHost())
        && a.getPort() == b.getPort();
  }

  private HttpResponse<InputStream> exchange(HttpRequest request) throws IOException {
    try {
      return http.send(request, HttpResponse.BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PelicanException("interrupted", e);
    }
  }

  private String fetchToken(String challenge) throws IOException {
    Map<String, String> parameters = new HashMap<>();
    Matcher matcher = PARAMETER.matcher(challenge);
    while (matcher.find()) {
      parameters.put(matcher.group(1), matcher.group(2));
    }
    URI realm;
    try {
      realm = URI.create(parameters.getOrDefault("realm", ""));
    } catch (IllegalArgumentException e) {
      throw new PelicanException("the registry's realm is no URL: " + challenge, e);
    }
    // A realm elsewhere would be handed what is meant for the registry.
    if (realm.getHost() == null || !realm.getHost().equalsIgnoreCase(base.getHost())) {
      throw new PelicanException(
          "the registry sends to '" + realm + "' for authorisation, expected " + base.getHost());
    }
    StringBuilder query = new StringBuilder("?service=");
    query.append(encoded(parameters.getOrDefault("service", "")));
    for (String scope : parameters.getOrDefault("scope", "").split(" ")) {
      query.append("&scope=").append(encoded(scope));
    }
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(realm + query.toString())).timeout(TIMEOUT).GET().build();
    HttpResponse<InputStream> response = exchange(request);
    try (InputStream body = response.body()) {
      byte[] bytes = body.readNBytes(1 << 16);
      if (response.statusCode() != 200) {
        throw new PelicanException("unauthorized: access denied to " + name);
      }
      return JsonMapper.shared().readTree(bytes).path("token").asString("");
    } catch (JacksonException e) {
      throw new PelicanException("the registry gives no token: " + e.getOriginalMessage(), e);
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
