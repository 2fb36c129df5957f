package pelican.server;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Bytes that are no good HTTP, or good HTTP of a kind that only attackers send. */
final class HostileConnections {
  private static final String END = "Host: localhost\r\nConnection: close\r\n\r\n";

  private static final String GENERATE =
      "{\"model\":\"tiny\",\"prompt\":\"a\",\"stream\":true,\"options\":{\"num_predict\":2}}";

  private static final List<String> PATHS =
      List.of(
          "/ui/../../../../etc/passwd",
          "/ui/..%2f..%2fetc%2fpasswd",
          "/ui/%2e%2e/%2e%2e/index.html",
          "/ui/%252e%252e/index.html",
          "/ui/.hidden",
          "/ui//etc/passwd",
          "/ui/index.html%00.js",
          "/ui/index.html;x=y",
          "/ui/%5c..%5c..",
          "/ui/\\..\\..",
          "/ui/%c0%ae%c0%ae/",
          "/ui/%u002e",
          "/ui/%zz",
          "/ui/%",
          "/ui/" + "a/".repeat(2000),
          "/" + "a".repeat(9000),
          "//evil.example/api/tags",
          "/./api/./tags",
          "/api//tags",
          "/API/TAGS",
          "/api/tags?" + "a=b&".repeat(1500),
          "/api/tags#fragment",
          "/api/blobs/sha256:" + "0".repeat(64),
          "/api/blobs/sha256-" + "f".repeat(64),
          "/api/blobs/sha256:../../../etc/passwd",
          "/api/blobs/..%2f..%2fetc%2fpasswd",
          "/api/blobs/sha256:" + "0".repeat(65),
          "/v1/models/..%2f..%2fetc",
          "/v1/models/../../etc",
          "/v1/models/%00",
          "/v1/models/" + "x".repeat(500),
          "/\u00ff\u00fe",
          "/api/tags\t",
          "*",
          "http://evil.example/api/tags",
          "http://localhost/api/tags",
          "evil.example:80",
          "");

  private static final List<String> METHODS =
      List.of(
          "GET",
          "HEAD",
          "POST",
          "PUT",
          "DELETE",
          "PATCH",
          "OPTIONS",
          "TRACE",
          "CONNECT",
          "PRI",
          "get",
          "D\u00e9LETE",
          "G ET",
          "\"GET\"",
          "X".repeat(3000),
          "");

  private static final List<String> VERSIONS =
      List.of("HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "http/1.1", "", "x");

  private static final List<String> HEADERS =
      List.of(
          "Host: evil.com",
          "Host: localhost, evil.com",
          "Host: localhost\r\nHost: evil.com",
          "Host: localhost@evil.com",
          "Host: [::1",
          "Host: localhost:99999",
          "Host: \u0000",
          "Origin: http://evil.com",
          "Origin: null",
          "Origin: http://localhost.evil.com",
          "Origin: http://localhost:80@evil.com",
          "Origin: " + "http://a".repeat(500),
          "Origin: http://localhost\r\nOrigin: http://evil.com",
          "Content-Encoding: gzip",
          "Content-Encoding: br, gzip",
          "Content-Encoding: " + "x".repeat(3000),
          "Accept-Encoding: gzip;q=NaN",
          "Expect: 100-continue",
          "Expect: a-miracle",
          "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
              + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
          "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk",
          "Authorization: Bearer " + "x".repeat(5000),
          "Authorization: Basic Og==",
          "Cookie: " + "a=b; ".repeat(1000),
          "X: " + "y".repeat(20_000),
          "X\u0000: y",
          "X : y",
          "no colon here",
          ": no name",
          " folded: line",
          "X: a\r\n b\r\n\tc",
          "X: \u0000\u0001\u007f",
          "X: \u00ff\u00fe",
          "X: y\nY: z",
          "X: y\rY: z",
          "Range: bytes=0-0,-1,99999999999-",
          "If-None-Match: *",
          "Content-Type: application/json; charset=utf-7",
          "Content-Type: multipart/form-data",
          "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: evil.com",
          "Transfer-Encoding: gzip",
          "Trailer: Host",
          "TE: trailers");

  /** Headers that say how long a body is, and say it badly. */
  private static final List<String> LENGTHS =
      List.of(
          "Content-Length: -5",
          "Content-Length: +5",
          "Content-Length: 0x10",
          "Content-Length: 5, 6",
          "Content-Length: 5\r\nContent-Length: 6",
          "Content-Length: 99999999999999999999",
          "Content-Length: 9223372036854775807",
          "Content-Length: ",
          "Content-Length: 5 5",
          "Content-Length: 0",
          "Content-Length: 3",
          "Content-Length: 100000",
          "Content-Length: 5\r\nTransfer-Encoding: chunked",
          "Transfer-Encoding: chunked\r\nContent-Length: 5",
          "Transfer-Encoding: xchunked",
          "Transfer-Encoding: chunked, identity",
          "Transfer-Encoding: identity, chunked",
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
          "Transfer-Encoding:\tchunked",
          "Transfer-Encoding : chunked",
          "Transfer-Encoding: \"chunked\"");

  private static final List<String> CHUNKS =
      List.of(
          "5\r\nhello\r\n0\r\n\r\n",
          "-1\r\n\r\n",
          "fffffffffffffffff\r\n",
          "ffffffffffffffff\r\nx",
          "7fffffff\r\nx",
          "zz\r\n",
          "\r\n\r\n",
          "5\nhello\n0\n\n",
          "5\r\nhelloXX0\r\n\r\n",
          "5;" + "x".repeat(20_000) + "\r\nhello\r\n0\r\n\r\n",
          "2\r\n{}\r\n0\r\n" + "T: v\r\n".repeat(5000) + "\r\n",
          "2\r\n{}\r\n0\r\nHost: evil.com\r\nContent-Length: 5\r\n\r\n",
          "2\r\n{}\r\n",
          "1\r\n{\r\n".repeat(3000),
          "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n");

  private HostileConnections() {}

  private static <T> T one(List<T> from, Random random) {
    return from.get(random.nextInt(from.size()));
  }

  /** What is sent over a connection. */
  static byte[] draw(Random random) {
    return switch (random.nextInt(10)) {
      case 0 -> latin(requestLine(random) + END);
      case 1 -> latin("GET " + one(PATHS, random) + " HTTP/1.1\r\n" + END);
      case 2 -> latin("GET /api/version HTTP/1.1\r\n" + one(HEADERS, random) + "\r\n" + END);
      case 3 -> post(one(HEADERS, random) + "\r\n", GENERATE);
      case 4 ->
          latin(
              "POST /api/generate HTTP/1.1\r\n"
                  + one(LENGTHS, random)
                  + "\r\n"
                  + END
                  + (random.nextBoolean() ? GENERATE : one(CHUNKS, random)));
      case 5 ->
          latin(
              "POST /api/chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                  + END
                  + one(CHUNKS, random));
      case 6 -> latin(flood(random));
      case 7 -> pipelined(random);
      case 8 -> otherProtocol(random);
      default -> compressed(random);
    };
  }

  private static String requestLine(Random random) {
    return one(METHODS, random)
        + one(List.of(" ", " ", " ", "\t", "  ", ""), random)
        + one(PATHS, random)
        + " "
        + one(VERSIONS, random)
        + one(List.of("\r\n", "\r\n", "\n", "\r", ""), random);
  }

  private static byte[] post(String header, String body) {
    return latin(
        "POST /api/generate HTTP/1.1\r\n"
            + header
            + "Content-Length: "
            + body.length()
            + "\r\n"
            + END
            + body);
  }

  private static String flood(Random random) {
    int count = random.nextInt(3000);
    String name = random.nextBoolean() ? "X: y\r\n" : "Accept: text/html\r\n";
    return "GET / HTTP/1.1\r\n" + name.repeat(count) + END;
  }

  private static byte[] pipelined(Random random) {
    StringBuilder all = new StringBuilder();
    for (int i = random.nextInt(30); i >= 0; i--) {
      switch (random.nextInt(4)) {
        case 0 -> all.append("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        case 1 -> all.append("HEAD /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n");
        case 2 ->
            all.append("POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: ")
                .append(GENERATE.length())
                .append("\r\n\r\n")
                .append(GENERATE);
        default -> all.append("DELETE /none HTTP/1.1\r\nHost: localhost\r\n\r\n");
      }
    }
    return latin(all + "GET / HTTP/1.1\r\n" + END);
  }

  private static byte[] otherProtocol(Random random) {
    byte[] noise = new byte[random.nextInt(5000)];
    random.nextBytes(noise);
    return switch (random.nextInt(5)) {
      case 0 -> latin("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0");
      case 1 -> latin("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003");
      case 2 -> latin("\r\n\r\n\r\n");
      case 3 -> latin("EHLO evil.com\r\n");
      default -> noise;
    };
  }

  /** A little that would unpack to much. */
  private static byte[] compressed(Random random) {
    java.io.ByteArrayOutputStream packed = new java.io.ByteArrayOutputStream();
    try (java.util.zip.GZIPOutputStream gzip = new java.util.zip.GZIPOutputStream(packed)) {
      gzip.write(new byte[1 << 22]);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    String coding = one(List.of("gzip", "x-gzip", "deflate", "gzip, gzip"), random);
    byte[] header =
        latin(
            "POST /api/chat HTTP/1.1\r\nContent-Encoding: "
                + coding
                + "\r\nContent-Length: "
                + packed.size()
                + "\r\n"
                + END);
    byte[] all = Arrays.copyOf(header, header.length + packed.size());
    System.arraycopy(packed.toByteArray(), 0, all, header.length, packed.size());
    return all;
  }

  static byte[] latin(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
