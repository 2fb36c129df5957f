package pelican.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.lang.reflect.Method;
import java.util.Arrays;
import jdk.incubator.vector.Vector;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class JvmFlagsTest {
  static Iterable<String> notInlined() {
    return JvmFlags.NOT_INLINED;
  }

  /** The JVM says nothing about a command for a method that is not there. */
  @ParameterizedTest
  @MethodSource
  void notInlined(String name) throws ClassNotFoundException {
    String[] parts = name.split("::");
    var methods =
        Arrays.stream(Class.forName("pelican.kernel." + parts[0]).getDeclaredMethods())
            .filter(method -> method.getName().equals(parts[1]))
            .toList();
    assertThat(methods).isNotEmpty().noneMatch(JvmFlagsTest::handlesVectors);
  }

  static Iterable<String> classes() {
    return JvmFlags.WAITED_FOR;
  }

  @ParameterizedTest
  @MethodSource
  void classes(String name) {
    assertThatCode(() -> Class.forName("pelican.kernel." + name)).doesNotThrowAnyException();
  }

  private static boolean handlesVectors(Method method) {
    return isVector(method.getReturnType())
        || Arrays.stream(method.getParameterTypes()).anyMatch(JvmFlagsTest::isVector);
  }

  private static boolean isVector(Class<?> type) {
    return Vector.class.isAssignableFrom(type);
  }
}
