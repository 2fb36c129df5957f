package pelican.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the compiled engine must and must not have, read from its classes. */
class ClassFilesTest {
  /** HotSpot never compiles a method that is larger ({@code DontCompileHugeMethods}). */
  private static final int MOST_BYTECODES = 8000;

  private static List<ClassModel> classes() throws IOException {
    List<ClassModel> classes = new ArrayList<>();
    try (Stream<Path> files = Files.walk(Path.of("target/classes"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
        classes.add(ClassFile.of().parse(file));
      }
    }
    assertThat(classes).hasSizeGreaterThan(80);
    return classes;
  }

  private static String name(ClassModel type) {
    return type.thisClass().asInternalName();
  }

  @Test
  void everyMethodIsSmallEnoughToBeCompiled() throws IOException {
    List<String> huge = new ArrayList<>();
    int methods = 0;
    for (ClassModel type : classes()) {
      for (MethodModel method : type.methods()) {
        int size = method.code().map(code -> ((CodeAttribute) code).codeLength()).orElse(0);
        methods++;
        if (size > MOST_BYTECODES) {
          huge.add(name(type) + "." + method.methodName() + ": " + size);
        }
      }
    }
    assertThat(methods).isGreaterThan(500);
    assertThat(huge).isEmpty();
  }

  @Test
  void nothingIsNativeUnsafeOrForeign() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (ClassModel type : classes()) {
      for (MethodModel method : type.methods()) {
        if (method.flags().has(AccessFlag.NATIVE)) {
          wrong.add(name(type) + "." + method.methodName() + " is native");
        }
      }
      for (PoolEntry entry : type.constantPool()) {
        if (entry instanceof ClassEntry used) {
          String other = used.asInternalName().replaceFirst("^\\[+L?", "");
          boolean known =
              other.matches("(java|pelican|jdk/incubator/vector)/.*|[ZBSCIJFD];?|module-info");
          if (!known) {
            wrong.add(name(type) + " uses " + other);
          }
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  /**
   * A vector in an object's field is an object in memory; elsewhere, and in constants, the compiler
   * keeps it in a register.
   */
  @Test
  void noObjectHoldsAVector() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (ClassModel type : classes()) {
      type.fields().stream()
          .filter(field -> !field.flags().has(AccessFlag.STATIC))
          .filter(field ->
              field
                  .fieldType()
                  .stringValue()
                  .matches("\\[*Ljdk/incubator/vector/(Vector|VectorMask|\\w+Vector);"))
          .forEach(field -> wrong.add(name(type) + "." + field.fieldName()));
    }
    assertThat(wrong).isEmpty();
  }
}
