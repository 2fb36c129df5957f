package pelican.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import pelican.engine.PelicanException;

class DemoModelTest {
  /** What the jar may grow by for each. */
  private static final long LIMIT = 17_000_000;

  @TempDir Path folder;

  @Test
  void namesTheVariants() {
    assertThat(DemoModel.byName("demo")).contains(DemoModel.Q4_K_M);
    assertThat(DemoModel.byName("demo:q4")).contains(DemoModel.Q4_K_M);
    assertThat(DemoModel.byName("Demo:Q6")).contains(DemoModel.Q6_K);
    assertThat(DemoModel.byName("demo:F16")).contains(DemoModel.F16);
    assertThat(DemoModel.byName("demo:q5")).isEmpty();
    assertThat(DemoModel.byName("q4")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void unpacksOnceAndKeepsToItsSize(DemoModel model) throws Exception {
    Path first = model.unpack(folder.resolve("new/cache"));
    assertThat(Files.size(first)).isBetween(1_000_000L, LIMIT);
    Object before = Files.readAttributes(first, "fileKey,lastModifiedTime");
    assertThat(model.unpack(folder.resolve("new/cache"))).isEqualTo(first);
    assertThat((Object) Files.readAttributes(first, "fileKey,lastModifiedTime")).isEqualTo(before);
    assertThat(entries(folder.resolve("new/cache"))).containsExactly(first);
  }

  @ParameterizedTest
  @EnumSource
  void replacesADamagedFile(DemoModel model) throws Exception {
    Path path = model.unpack(folder);
    byte[] good = Files.readAllBytes(path);
    byte[] bad = good.clone();
    bad[bad.length / 2] ^= 1;
    Files.write(path, bad);
    model.unpack(folder);
    assertThat(Files.readAllBytes(path)).isEqualTo(good);
    Files.write(path, new byte[100]);
    model.unpack(folder);
    assertThat(Files.readAllBytes(path)).isEqualTo(good);
  }

  @Test
  void bearsManyAtOnce() throws Exception {
    try (var pool = Executors.newFixedThreadPool(8)) {
      Callable<Path> unpack = () -> DemoModel.Q6_K.unpack(folder);
      List<Future<Path>> all = pool.invokeAll(Stream.generate(() -> unpack).limit(8).toList());
      for (Future<Path> one : all) {
        assertThat(one.get()).isEqualTo(all.getFirst().get());
      }
    }
    assertThat(entries(folder)).hasSize(1);
  }

  @Test
  void saysWhereItCannotWrite() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    assertThatThrownBy(() -> DemoModel.Q4_K_M.unpack(file))
        .isInstanceOf(PelicanException.class)
        .hasMessageContaining("cannot unpack the demo model to " + file);
  }

  private static List<Path> entries(Path folder) throws Exception {
    try (Stream<Path> paths = Files.list(folder)) {
      return paths.toList();
    }
  }
}
