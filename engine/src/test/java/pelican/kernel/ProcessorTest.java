package pelican.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProcessorTest {
  private static final String DESCRIPTION =
      """
      processor\t: 0
      vendor_id\t: %s
      cpu family\t: %s
      model\t\t: 17
      model name\t: a name: with a colon
      flags\t\t: fpu avx512f

      processor\t: 1
      vendor_id\t: GenuineIntel
      cpu family\t: 6
      """;

  @ParameterizedTest
  @CsvSource({
    "AuthenticAMD, 25, true, false",
    "AuthenticAMD, 26, false, true",
    "GenuineIntel, 6, false, false",
    "GenuineIntel, 25, false, false",
    "GenuineIntel, 26, false, false",
  })
  void someSplitWideVectorsAndSomeMultiplyThemAtOnce(
      String vendor, String family, boolean splits, boolean multiplies) {
    String description = DESCRIPTION.formatted(vendor, family);
    assertThat(Processor.splits(description.lines())).isEqualTo(splits);
    assertThat(Processor.multipliesWideInts(description.lines())).isEqualTo(multiplies);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "vendor_id", "CPU architecture: 8\ncpu family: 25", "\n\n"})
  void othersAreNotDescribedSo(String description) {
    assertThat(Processor.splits(description.lines())).isFalse();
    assertThat(Processor.multipliesWideInts(description.lines())).isFalse();
  }
}
