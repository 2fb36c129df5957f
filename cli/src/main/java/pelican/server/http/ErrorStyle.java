package pelican.server.http;

import java.util.Map;

/** How a family of endpoints writes errors. */
public interface ErrorStyle {
  /** Ollama's own: {@code {"error":"…"}}. */
  ErrorStyle OLLAMA =
      new ErrorStyle() {
        @Override
        public Map<String, Object> body(int status, String message) {
          return Map.of("error", message);
        }

        @Override
        public String inStream(int status, String message) {
          return Json.text(body(status, message)) + "\n";
        }
      };

  /** The JSON body of a response with an error status. */
  Map<String, Object> body(int status, String message);

  /**
   * What is written into a stream that has begun, before it ends; all of it, line ends included.
   */
  String inStream(int status, String message);
}
