package pelican.server.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pelican.chat.Message;
import pelican.engine.ModelOptions;
import pelican.models.Aliases;
import pelican.models.OllamaStore;
import pelican.server.http.ApiException;

/** Answers that nobody waits for any more, and what Java Flight Recorder is told of answers. */
@Timeout(120)
class CancellationTest {
  @TempDir private Path folder;
  private Inference inference;
  private Scheduler scheduler;

  @BeforeEach
  void start() {
    scheduler =
        new Scheduler(
            new Scheduler.Limits(
                2,
                2,
                16,
                1L << 32,
                new KeepAlive(Duration.ofMinutes(5)),
                2048,
                ModelOptions.DEFAULT));
    Catalog catalog =
        new Catalog(
            new OllamaStore(folder.resolve("store")), new Aliases(folder.resolve("none")), true);
    inference = new Inference(catalog, scheduler, FormatCompiler.grammars());
  }

  @AfterEach
  void stop() {
    scheduler.close();
    inference.close();
  }

  private static ChatRequest drawing() {
    return ChatRequest.of("demo", List.of(Message.user("Draw a red circle.")))
        .withOptions(new Options(Map.of("temperature", 0)));
  }

  /** Goes after so many parts; only the thread that generates sees it gone. */
  private static final class Leaving implements Caller {
    private final Thread own = Thread.currentThread();
    private final int patience;
    int parts;

    Leaving(int patience) {
      this.patience = patience;
    }

    @Override
    public boolean gone() {
      return Thread.currentThread() == own && parts >= patience;
    }

    @Override
    public void accept(Delta delta) {
      parts++;
    }
  }

  @Test
  void notOneTokenMoreIsComputedWhenTheClientHasGone() {
    Completion whole = inference.chat(drawing(), new Leaving(Integer.MAX_VALUE));
    assertThat(whole.metrics().tokens()).isGreaterThan(20);
    Leaving leaving = new Leaving(7);
    assertThatThrownBy(() -> inference.chat(drawing(), leaving))
        .isInstanceOfSatisfying(
            ApiException.class,
            e -> assertThat(e.status()).isEqualTo(ApiException.CLIENT_CLOSED_REQUEST));
    assertThat(leaving.parts).isEqualTo(7);
    Totals totals = inference.totals();
    assertThat(totals.cancelled()).isEqualTo(1);
    assertThat(totals.cancelledTokens())
        .as("each part is of one token at least, and some tokens give none")
        .isBetween(7L, 12L);
    assertThat(totals.answers()).isEqualTo(1);
    assertThat(inference.generating()).isZero();
  }

  @Test
  void aStreamThatCannotBeWrittenCountsAsCancelled() {
    Caller broken =
        new Caller() {
          @Override
          public boolean gone() {
            return false;
          }

          @Override
          public void accept(Delta delta) {
            throw new UncheckedIOException(new IOException("broken pipe"));
          }
        };
    assertThatThrownBy(() -> inference.chat(drawing(), broken))
        .isInstanceOf(UncheckedIOException.class);
    assertThat(inference.totals().cancelled()).isEqualTo(1);
    assertThat(inference.totals().cancelledTokens()).isEqualTo(1);
    // The place is free again.
    assertThat(inference.chat(drawing(), new Leaving(1000)).content()).contains("<svg");
  }

  @Test
  void flightRecorderIsToldOfEachPhase() throws Exception {
    List<RecordedEvent> events = new CopyOnWriteArrayList<>();
    Completion first;
    Completion second;
    Inference.Embeddings embedded;
    try (RecordingStream stream = new RecordingStream()) {
      for (String name : List.of("pelican.Load", "pelican.Prefill", "pelican.Decode")) {
        stream.enable(name).withThreshold(Duration.ZERO);
        stream.onEvent(
            name,
            event -> {
              events.add(event);
            });
      }
      stream.setReuse(false);
      stream.startAsync();
      first = inference.chat(drawing(), new Leaving(1000));
      second = inference.chat(drawing(), new Leaving(1000));
      embedded =
          inference.embed(
              inference.catalog().require("demo"),
              List.of("a cat"),
              true,
              Options.NONE,
              Optional.empty(),
              new Leaving(1));
      stream.stop();
    }
    events.sort(java.util.Comparator.comparing(RecordedEvent::getStartTime));
    assertThat(events.stream().map(event -> event.getEventType().getName()))
        .containsExactly(
            "pelican.Load",
            "pelican.Prefill",
            "pelican.Decode",
            "pelican.Prefill",
            "pelican.Decode",
            "pelican.Prefill");
    RecordedEvent load = events.get(0);
    assertThat(load.getString("model")).isEqualTo("demo:latest");
    assertThat(load.getLong("bytes"))
        .isEqualTo(inference.catalog().require("demo").facts().bytes());
    assertThat(load.getDuration()).isPositive();
    RecordedEvent prefill = events.get(1);
    assertThat(prefill.getInt("promptTokens")).isEqualTo(first.metrics().promptTokens());
    assertThat(prefill.getInt("cachedTokens")).isZero();
    assertThat(prefill.getDuration()).isPositive();
    RecordedEvent decode = events.get(2);
    assertThat(decode.getInt("tokens")).isEqualTo(first.metrics().tokens());
    assertThat(decode.getStartTime()).isAfterOrEqualTo(prefill.getEndTime().minusNanos(1000));
    assertThat(decode.getBoolean("cancelled")).isFalse();
    assertThat(events.get(3).getInt("cachedTokens")).isEqualTo(second.metrics().cachedTokens());
    assertThat(second.metrics().cachedTokens()).isPositive();
    assertThat(events.get(5).getInt("promptTokens")).isEqualTo(embedded.promptTokens());
  }
}
