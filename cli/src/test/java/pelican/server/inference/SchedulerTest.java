package pelican.server.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import pelican.engine.ModelMemory;
import pelican.engine.ModelOptions;
import pelican.engine.Session;
import pelican.models.ModelName;
import pelican.server.http.ApiException;

/** Which models stay in memory, which go, and who has to wait. */
@Timeout(120)
class SchedulerTest {
  private static final int CONTEXT = 512;
  private static final CatalogEntry A = entry("a", "tiny-Q4_K_M.gguf");
  private static final CatalogEntry B = entry("b", "tiny-Q6_K.gguf");
  private static final CatalogEntry C = entry("c", "tiny-Q8_0.gguf");

  private static final Caller WAITING =
      new Caller() {
        @Override
        public boolean gone() {
          return false;
        }

        @Override
        public void accept(Delta delta) {}
      };

  private static CatalogEntry entry(String name, String file) {
    Path path = Path.of("../engine/src/test/resources/golden").resolve(file);
    ModelFacts facts = ModelFacts.read(path);
    return new CatalogEntry(
        ModelName.parse(name), path, Optional.empty(), name, facts.bytes(), Instant.now(), facts);
  }

  private static ModelMemory memory(CatalogEntry entry) {
    return ModelMemory.of(entry.file(), ModelOptions.DEFAULT);
  }

  private static long fixed(CatalogEntry entry, int parallel) {
    return memory(entry).weights() + memory(entry).buffers(parallel);
  }

  /** Bytes of a model and some sessions. */
  private static long bytes(CatalogEntry entry, int parallel, int sessions) {
    return fixed(entry, parallel) + sessions * memory(entry).session(CONTEXT);
  }

  private static Scheduler scheduler(int parallel, int maxLoaded, long memory) {
    return new Scheduler(
        new Scheduler.Limits(
            parallel,
            maxLoaded,
            16,
            memory,
            new KeepAlive(Duration.ofMinutes(5)),
            CONTEXT,
            ModelOptions.DEFAULT));
  }

  private static Scheduler.Lease lease(Scheduler scheduler, CatalogEntry entry) {
    return scheduler.acquire(entry, CONTEXT, Optional.empty(), WAITING);
  }

  private static CompletableFuture<Scheduler.Lease> later(Scheduler scheduler, CatalogEntry entry) {
    return CompletableFuture.supplyAsync(
        () -> lease(scheduler, entry), task -> Thread.ofVirtual().start(task));
  }

  /** Answers a prompt, whose session stays. */
  private static void use(Scheduler scheduler, CatalogEntry entry, int token) {
    try (Scheduler.Lease lease = lease(scheduler, entry)) {
      // Shares nothing with what other tokens begin.
      int[] prompt = {token, token};
      Session session = lease.takeSession(prompt, CONTEXT);
      session.embed(prompt);
      lease.giveBack(session);
    }
  }

  private static List<String> names(Scheduler scheduler) {
    return scheduler.running().stream().map(running -> running.entry().name().model()).toList();
  }

  private static void stays(CompletableFuture<?> future) throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(200);
    assertThat(future).isNotDone();
  }

  @Test
  void weightsBuffersAndSessionsAreCounted() {
    try (Scheduler scheduler = scheduler(2, 3, 1L << 40)) {
      ModelMemory memory = memory(A);
      assertThat(memory.weights()).isEqualTo(A.facts().bytes());
      assertThat(memory.session(2 * CONTEXT)).isGreaterThan(memory.session(CONTEXT));
      try (Scheduler.Lease lease = lease(scheduler, A)) {
        assertThat(scheduler.memory()).isEqualTo(bytes(A, 2, 1));
        assertThat(memory.buffers(2) - memory.buffers(1))
            .isEqualTo(4L * lease.model.model.vocabulary());
        assertThat(lease.newSession(CONTEXT).contextLength()).isEqualTo(CONTEXT);
      }
      assertThat(scheduler.memory()).as("no session is left").isEqualTo(bytes(A, 2, 0));
      use(scheduler, A, 5);
      assertThat(scheduler.memory()).as("one is kept").isEqualTo(bytes(A, 2, 1));
      assertThat(scheduler.running().getFirst().bytes()).isEqualTo(bytes(A, 2, 1));
      use(scheduler, A, 6);
      use(scheduler, A, 7);
      assertThat(scheduler.memory()).as("as many as run at once").isEqualTo(bytes(A, 2, 2));
    }
  }

  /** A session takes no more than what was counted for it. */
  @Test
  void whatIsCountedIsEnough() {
    try (Scheduler scheduler = scheduler(1, 1, 1L << 40);
        Scheduler.Lease lease = lease(scheduler, A)) {
      Session session = lease.newSession(CONTEXT);
      int[] text = new int[CONTEXT];
      java.util.Arrays.fill(text, 5);
      session.embed(text);
      long logits = 4L * lease.model.model.vocabulary();
      assertThat(session.bytes() + logits).isLessThanOrEqualTo(memory(A).session(CONTEXT));
      assertThat(session.bytes()).isGreaterThan((memory(A).session(CONTEXT) - logits) / 2);
    }
  }

  @Test
  void theOneUsedLongestAgoMakesRoomByMemory() {
    long room =
        bytes(A, 1, 1) + bytes(B, 1, 1) + bytes(C, 1, 1) - Math.min(fixed(A, 1), fixed(B, 1)) / 2;
    try (Scheduler scheduler = scheduler(1, 8, room)) {
      use(scheduler, A, 5);
      use(scheduler, B, 5);
      use(scheduler, A, 6);
      assertThat(names(scheduler)).containsExactlyInAnyOrder("a", "b");
      use(scheduler, C, 5);
      assertThat(names(scheduler)).containsExactlyInAnyOrder("a", "c");
      assertThat(scheduler.evictions()).isEqualTo(1);
      assertThat(scheduler.memory()).isLessThanOrEqualTo(room);
    }
  }

  @Test
  void theOneUsedLongestAgoMakesRoomByNumber() {
    try (Scheduler scheduler = scheduler(1, 2, 1L << 40)) {
      use(scheduler, A, 5);
      use(scheduler, B, 5);
      use(scheduler, C, 5);
      assertThat(names(scheduler)).containsExactlyInAnyOrder("b", "c");
    }
  }

  @Test
  void aModelInUseStaysAndTheOtherWaits() throws Exception {
    long room = Math.max(bytes(A, 1, 1), bytes(B, 1, 1)) + fixed(A, 1) / 2;
    try (Scheduler scheduler = scheduler(1, 8, room)) {
      Scheduler.Lease first = lease(scheduler, A);
      CompletableFuture<Scheduler.Lease> second = later(scheduler, B);
      stays(second);
      assertThat(names(scheduler)).containsExactly("a");
      assertThat(scheduler.pending()).isEqualTo(1);
      // Still whole: it was not closed under its user.
      assertThat(first.newSession(CONTEXT).embed(new int[] {2, 5})).isNotEmpty();
      first.close();
      try (Scheduler.Lease lease = second.get(60, TimeUnit.SECONDS)) {
        assertThat(names(scheduler)).containsExactly("b");
        assertThat(lease.newSession(CONTEXT).embed(new int[] {2, 5})).isNotEmpty();
      }
    }
  }

  @Test
  void aSessionThatDoesNotFitWaitsAlthoughThereIsAPlace() throws Exception {
    try (Scheduler scheduler = scheduler(4, 8, bytes(A, 4, 2))) {
      Scheduler.Lease first = lease(scheduler, A);
      Scheduler.Lease second = lease(scheduler, A);
      CompletableFuture<Scheduler.Lease> third = later(scheduler, A);
      stays(third);
      second.close();
      third.get(60, TimeUnit.SECONDS).close();
      first.close();
      assertThat(scheduler.memory()).isEqualTo(bytes(A, 4, 0));
    }
  }

  @Test
  void keptSessionsMakeRoomForNewOnes() {
    try (Scheduler scheduler = scheduler(4, 8, bytes(A, 4, 2))) {
      use(scheduler, A, 5);
      use(scheduler, A, 6);
      assertThat(scheduler.memory()).isEqualTo(bytes(A, 4, 2));
      Scheduler.Lease first = lease(scheduler, A);
      Scheduler.Lease second = lease(scheduler, A);
      assertThat(scheduler.memory()).isEqualTo(bytes(A, 4, 2));
      assertThat(scheduler.evictions()).isZero();
      first.close();
      second.close();
    }
  }

  @Test
  void whatNeverFitsIsRefusedAtOnce() {
    try (Scheduler scheduler = scheduler(1, 8, bytes(A, 1, 1))) {
      assertThatThrownBy(() -> lease(scheduler, C))
          .isInstanceOfSatisfying(ApiException.class, e -> assertThat(e.status()).isEqualTo(503))
          .hasMessageStartingWith("model requires more system memory (");
      assertThatThrownBy(() -> scheduler.acquire(A, 4 * CONTEXT, Optional.empty(), WAITING))
          .isInstanceOfSatisfying(ApiException.class, e -> assertThat(e.status()).isEqualTo(503))
          .hasMessageContaining("with a context of 2048 tokens");
      lease(scheduler, A).close();
    }
  }
}
