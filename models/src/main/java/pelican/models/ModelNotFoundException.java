package pelican.models;

import java.nio.file.Path;
import pelican.engine.PelicanException;

/** A store does not have a model, or no longer has it. */
public final class ModelNotFoundException extends PelicanException {
  private static final long serialVersionUID = 1L;

  ModelNotFoundException(ModelName name, Path store) {
    super("model '" + name + "' not found in " + store);
  }
}
