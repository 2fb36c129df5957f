package pelican.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Byte tokens make every sequence of bytes, valid or not, with a border after each byte. */
class TokenDecoderTest {
  private final Tokenizer tokenizer = Vocabularies.tokenizer(Vocabularies.tiny());
  private final Random random = new Random(3);

  /** What the bytes of whole texts are like when they are damaged here and there. */
  private byte[] damagedText() {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(1, 8); i > 0; i--) {
      int c = random.nextInt(0x110000);
      text.appendCodePoint(random.nextBoolean() || c >= 0xd800 && c < 0xe000 ? c & 0x7ff : c);
    }
    byte[] bytes = Vocabularies.utf8(text.toString());
    for (int i = random.nextInt(3); i > 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(128, 256);
    }
    return bytes;
  }

  private int[] ids(byte[] bytes) {
    return IntStream.range(0, bytes.length)
        .map(i -> tokenizer.id(String.format("<0x%02X>", bytes[i])))
        .toArray();
  }

  @Test
  void piecesAreTheWholeTextHoweverItIsDivided() {
    for (int i = 0; i < 5000; i++) {
      byte[] bytes = damagedText();
      int[] ids = ids(bytes);
      String whole = new String(bytes, StandardCharsets.UTF_8);
      TokenDecoder decoder = tokenizer.decoder();
      StringBuilder streamed = new StringBuilder();
      for (int id : ids) {
        String piece = decoder.accept(id);
        assertThat(endsInHalf(piece)).isFalse();
        streamed.append(piece);
        assertThat(whole).startsWith(streamed);
      }
      assertThat(streamed.append(decoder.finish()).toString()).isEqualTo(whole);
      assertThat(tokenizer.decode(ids)).isEqualTo(whole);
      for (int split = 0; split <= ids.length; split++) {
        String first = tokenizer.decode(Arrays.copyOf(ids, split));
        String second = tokenizer.decode(Arrays.copyOfRange(ids, split, ids.length));
        String lossy =
            new String(bytes, 0, split, StandardCharsets.UTF_8)
                + new String(bytes, split, bytes.length - split, StandardCharsets.UTF_8);
        assertThat(first + second).isEqualTo(lossy);
      }
    }
  }

  private static boolean endsInHalf(String piece) {
    return !piece.isEmpty() && Character.isHighSurrogate(piece.charAt(piece.length() - 1));
  }

  @Test
  void tokensOfAllKindsMixWithBytes() {
    for (int i = 0; i < 2000; i++) {
      int[] ids = random.ints(random.nextInt(30), 0, tokenizer.size()).toArray();
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      TokenDecoder decoder = tokenizer.decoder();
      StringBuilder streamed = new StringBuilder();
      for (int id : ids) {
        all.writeBytes(tokenizer.bytes(id));
        streamed.append(decoder.accept(id));
      }
      assertThat(streamed + decoder.finish()).isEqualTo(all.toString(StandardCharsets.UTF_8));
    }
  }

  @Test
  void aFinishedDecoderBeginsAnew() {
    TokenDecoder decoder = tokenizer.decoder();
    int[] smile = ids(Vocabularies.utf8("🙂"));
    assertThat(decoder.accept(smile[0])).isEmpty();
    assertThat(decoder.finish()).isEqualTo("\ufffd");
    assertThat(decoder.finish()).isEmpty();
    assertThat(decoder.accept(smile[0]) + decoder.accept(smile[1]) + decoder.accept(smile[2]))
        .isEmpty();
    assertThat(decoder.accept(smile[3])).isEqualTo("🙂");
    assertThat(decoder.finish()).isEmpty();
  }
}
