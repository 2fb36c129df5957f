package pelican.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import pelican.engine.PelicanException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "stop",
    description = "Lets a server unload a model.",
    mixinStandardHelpOptions = true)
final class StopCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "Name of a model.")
  private String model;

  @Override
  public Integer call() {
    String body = JsonMapper.shared().writeValueAsString(Map.of("model", model, "keep_alive", 0));
    ServerClient.Answer answer = new ServerClient().ask("/api/generate", body);
    if (answer.status() == 404) {
      throw new PelicanException("couldn't find model \"" + model + "\" to stop");
    }
    if (answer.status() != 200) {
      throw new PelicanException(answer.json().path("error").asString("status " + answer.status()));
    }
    return 0;
  }
}
