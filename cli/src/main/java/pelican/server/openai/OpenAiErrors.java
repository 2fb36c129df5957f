package pelican.server.openai;

import java.util.Map;
import pelican.server.http.ErrorStyle;
import pelican.server.http.Json;
import pelican.server.http.Reply;

/** Errors as OpenAI's clients expect them: {@code {"error":{"message","type","param","code"}}}. */
public final class OpenAiErrors implements ErrorStyle {
  public static final ErrorStyle STYLE = new OpenAiErrors();

  private OpenAiErrors() {}

  @Override
  public Map<String, Object> body(int status, String message) {
    String type =
        switch (status) {
          case 400 -> "invalid_request_error";
          case 404 -> "not_found_error";
          default -> "api_error";
        };
    return new Reply()
        .with(
            "error",
            new Reply()
                .with("message", message)
                .with("type", type)
                .with("param", null)
                .with("code", null));
  }

  @Override
  public String inStream(int status, String message) {
    return "data: " + Json.text(body(status, message)) + "\n\n";
  }
}
