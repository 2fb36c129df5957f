package pelican.server.anthropic;

import java.util.Map;
import pelican.server.http.ErrorStyle;
import pelican.server.http.Json;
import pelican.server.http.Reply;

/**
 * Errors as Anthropic's clients expect them: {@code {"type":"error","error":{"type","message"}}}.
 */
public final class AnthropicErrors implements ErrorStyle {
  public static final ErrorStyle STYLE = new AnthropicErrors();

  private AnthropicErrors() {}

  @Override
  public Map<String, Object> body(int status, String message) {
    String type =
        switch (status) {
          case 400 -> "invalid_request_error";
          case 401 -> "authentication_error";
          case 403 -> "permission_error";
          case 404 -> "not_found_error";
          case 413 -> "request_too_large";
          case 503 -> "overloaded_error";
          default -> "api_error";
        };
    return new Reply()
        .with("type", "error")
        .with("error", new Reply().with("type", type).with("message", message));
  }

  @Override
  public String inStream(int status, String message) {
    return "event: error\ndata: " + Json.text(body(status, message)) + "\n\n";
  }
}
