package pelican.grammar.regex;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class FormatsTest {
  private static final Map<String, Consumer<String>> READERS =
      Map.of(
          "date", LocalDate::parse,
          "time", OffsetTime::parse,
          "date-time", OffsetDateTime::parse,
          "uuid", UUID::fromString,
          "uri", text -> assertThat(URI.create(text).isAbsolute()).isTrue(),
          "byte", Base64.getDecoder()::decode);

  private static final Map<String, List<List<String>>> EXAMPLES =
      Map.ofEntries(
          entry(
              "date",
              List.of("2024-02-29", "2000-02-29", "2026-11-30"),
              List.of("2023-02-29", "1900-02-29", "2026-11-31", "2026-13-01", "26-1-1")),
          entry("time", List.of("23:59:59Z", "00:00:00.5+02:00"), List.of("24:00:00Z", "1:2:3Z")),
          entry(
              "date-time",
              List.of("2026-11-26T02:45:00Z", "2026-11-26T02:45:00.123-05:30"),
              List.of("2026-11-26 02:45:00Z", "2026-11-26T02:45:00", "2026-11-26")),
          entry(
              "duration",
              List.of("P1Y", "P3W", "PT5M", "P1Y2M3DT4H5M6S", "PT1H5M"),
              List.of("P", "PT", "P1", "1Y", "P1YT", "P1W2D")),
          entry(
              "email",
              List.of("a@example.org", "first.last+tag@sub-domain.example.com"),
              List.of("a@", "@b.c", "a b@c.de", "a@b", ".a@b.cd", "a..b@c.de")),
          entry(
              "hostname", List.of("localhost", "www.example.org", "a-b.c"), List.of("", "-a", ".")),
          entry(
              "ipv4",
              List.of("0.0.0.0", "192.168.1.255"),
              List.of("256.1.1.1", "1.1.1", "01.1.1.1")),
          entry(
              "ipv6",
              List.of("::", "::1", "fe80::1:2", "1:2:3:4:5:6:7:8", "1::"),
              List.of(":", "1:2", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9")),
          entry(
              "uri",
              List.of("https://example.org/a?b=c#d", "mailto:a@b.de", "urn:isbn:123"),
              List.of("", "example.org", "http://a b", "//x/y")),
          entry(
              "uuid",
              List.of("123e4567-e89b-12d3-a456-426614174000"),
              List.of("123e4567e89b12d3a456426614174000", "g23e4567-e89b-12d3-a456-426614174000")),
          entry("json-pointer", List.of("", "/a/~0~1", "/é"), List.of("a", "/~2")),
          entry("relative-json-pointer", List.of("0", "1/a", "2#"), List.of("01", "/a", "-1")),
          entry("byte", List.of("", "QQ==", "QUI=", "QUJD"), List.of("Q", "QQ", "QR==")));

  private static Map.Entry<String, List<List<String>>> entry(
      String name, List<String> yes, List<String> no) {
    return Map.entry(name, List.of(yes, no));
  }

  @Test
  void examples() {
    EXAMPLES.forEach((name, texts) -> {
      Automaton automaton = Formats.of(name);
      for (String text : texts.get(0)) {
        assertThat(automaton.matches(text)).as(name + " " + text).isTrue();
      }
      for (String text : texts.get(1)) {
        assertThat(automaton.matches(text)).as(name + " " + text).isFalse();
      }
    });
    assertThat(Formats.of("no-such-format")).isNull();
  }

  /** A text by moves that are drawn, ended where it may end. */
  private static String draw(Automaton automaton, Random random) {
    StringBuilder text = new StringBuilder();
    int state = automaton.start();
    while (!automaton.accepts(state) || random.nextInt(4) > 0) {
      int next = Automaton.DEAD;
      int c = 0;
      for (int tries = 0; next == Automaton.DEAD && tries < 2000; tries++) {
        c = 0x20 + random.nextInt(0x5f);
        next = automaton.step(state, c);
      }
      if (next == Automaton.DEAD) {
        break;
      }
      text.append((char) c);
      state = next;
    }
    return text.toString();
  }

  @Test
  void whatIsDrawnCanBeRead() {
    Random random = new Random(23);
    READERS.forEach((name, reader) -> {
      for (int i = 0; i < 500; i++) {
        reader.accept(draw(Formats.of(name), random));
      }
    });
  }

  @Test
  void areSmall() {
    for (String name : Formats.names()) {
      assertThat(Formats.of(name).size()).as(name).isBetween(1, 5000);
    }
  }
}
