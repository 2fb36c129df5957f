package pelican.models;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that come and go in a store while others do: folders are pruned, blobs are shared. */
class ConcurrentStoreTest {
  private static final ModelName KEPT = ModelName.parse("kept");
  private static final int ROUNDS = 400;
  private static final int THREADS = 4;

  @TempDir private Path root;

  @BeforeEach
  void layOut() {
    Stores.add(root, KEPT, Stores.layers("kept"));
  }

  @Test
  void copiesAndRemovalsOfOneNameDoNotFail() throws Exception {
    OllamaStore store = new OllamaStore(root);
    AtomicInteger copied = new AtomicInteger();
    AtomicInteger removed = new AtomicInteger();
    atOnce(random -> {
      ModelName name = ModelName.parse("folder/model:" + random.nextInt(2));
      if (random.nextBoolean()) {
        store.copy(KEPT, name);
        copied.incrementAndGet();
      } else {
        try {
          store.remove(name);
          removed.incrementAndGet();
        } catch (ModelNotFoundException e) {
          // Another thread has removed it.
        }
      }
      assertThat(store.list()).extracting(StoredModel::name).contains(KEPT);
    });
    assertThat(copied.get()).isGreaterThan(ROUNDS);
    assertThat(removed.get()).isPositive();
    for (StoredModel model : store.list()) {
      assertThat(Files.readString(model.file())).startsWith("GGUF of kept");
    }
    assertThat(Files.list(root.resolve("blobs")))
        .noneMatch(file -> file.toString().contains("new-"));
  }

  /** Another store over the same folder stands for another process, which knows of no lock here. */
  @Test
  void foldersThatAnotherProcessRemovesAreMadeAgain() throws Exception {
    AtomicInteger copied = new AtomicInteger();
    atOnce(random -> {
      OllamaStore own = new OllamaStore(root);
      ModelName name = ModelName.parse("folder/model:" + random.nextInt(100));
      own.copy(KEPT, name);
      copied.incrementAndGet();
      try {
        own.remove(name);
      } catch (ModelNotFoundException e) {
        // The other one has removed it.
      }
    });
    assertThat(copied.get()).isEqualTo(THREADS * ROUNDS);
    assertThat(new OllamaStore(root).find(KEPT)).isPresent();
  }

  @Test
  void blobsPromisedToAModelOutliveTheRemovalOfAnotherThatHasThem() throws IOException {
    OllamaStore store = new OllamaStore(root);
    Digest license = Digest.of(Stores.layers("kept").get("license"));
    Path shared = store.blob(license);
    Path own = store.blob(Digest.of(Stores.layers("kept").get("model")));
    byte[] manifest = store.find(KEPT).orElseThrow().manifest().bytes();
    try (OllamaStore.Reservation reservation = store.reserve()) {
      reservation.add(license);
      try (OllamaStore.Reservation shorter = store.reserve()) {
        shorter.add(license);
      }
      store.remove(KEPT);
      assertThat(shared).exists();
      assertThat(own).doesNotExist();
    }
    Files.write(own, Stores.layers("kept").get("model"));
    Files.write(store.blob(Digest.of(Stores.config())), Stores.config());
    for (String kind : List.of("system", "params")) {
      byte[] content = Stores.layers("kept").get(kind);
      Files.write(store.blob(Digest.of(content)), content);
    }
    store.publish(KEPT, manifest);
    store.remove(KEPT);
    assertThat(shared).doesNotExist();
  }

  private interface Round {
    void run(Random random) throws IOException;
  }

  private static void atOnce(Round round) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      List<Callable<Void>> tasks = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        Random random = new Random(i);
        tasks.add(() -> {
          for (int count = 0; count < ROUNDS; count++) {
            round.run(random);
          }
          return null;
        });
      }
      for (Future<Void> task : threads.invokeAll(tasks)) {
        task.get();
      }
    }
  }
}
