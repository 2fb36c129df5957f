package pelican.kernel;

import java.util.Locale;
import pelican.engine.PelicanException;

/** Chooses, once for a process, the kernels that suit its JVM and machine. */
public final class KernelChoice {
  /** System property that overrules the choice: {@code auto}, {@code vector} or {@code scalar}. */
  public static final String PROPERTY = "pelican.kernels";

  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  private KernelChoice() {}

  /** The kernels to use by default. */
  public static Kernels choose() {
    return choose(false);
  }

  /**
   * The kernels to use; {@link Kernels#description} tells which and why.
   *
   * @param floatActivations whether products are computed from floats alone, more exactly and more
   *     slowly
   * @throws PelicanException if {@value #PROPERTY} has an unknown value, or asks for vectors where
   *     there are none
   */
  public static Kernels choose(boolean floatActivations) {
    return choose(System.getProperty(PROPERTY, "auto"), floatActivations);
  }

  static Kernels choose(String wanted, boolean floatActivations) {
    boolean vectors = ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
    return switch (wanted.toLowerCase(Locale.ROOT)) {
      case "scalar" -> new ScalarKernels(PROPERTY + " asks for it");
      case "vector" -> {
        if (!vectors) {
          throw new PelicanException(
              PROPERTY + " is vector, but the JVM runs without --add-modules " + VECTOR_MODULE);
        }
        yield new VectorKernels(floatActivations);
      }
      case "auto" -> {
        if (!vectors) {
          yield new ScalarKernels("the JVM runs without --add-modules " + VECTOR_MODULE);
        }
        if (!compiles()) {
          // Uncompiled, each vector operation is a loop over a fresh object.
          yield new ScalarKernels("the JVM does not compile: " + vmInfo());
        }
        VectorKernels kernels = new VectorKernels(floatActivations);
        if (kernels.bits() < 128) {
          yield new ScalarKernels("the JVM's vectors have " + kernels.bits() + " bits");
        }
        yield kernels;
      }
      default ->
          throw new PelicanException(
              PROPERTY + " is \"" + wanted + "\", expected auto, vector or scalar");
    };
  }

  private static boolean compiles() {
    return !vmInfo().contains("interpreted mode");
  }

  private static String vmInfo() {
    return System.getProperty("java.vm.info", "");
  }
}
