package pelican.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pelican.engine.PelicanException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The report as a file: whole, closed against what models answer, and written in one piece. */
class HtmlReportTest {
  private static final Pattern SCRIPT = Pattern.compile("(?s)<script([^>]*)>(.*?)</script>");

  private static String hash(String text) throws Exception {
    byte[] digest =
        MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
  }

  @Test
  void nothingThatModelsAnswerEndsTheDataOrRuns() throws Exception {
    String html = HtmlReport.html(ReportSamples.hostile());
    String policy =
        html.replaceAll(
            "(?s).*?http-equiv=\"Content-Security-Policy\" content=\"([^\"]*)\".*", "$1");
    assertThat(policy).startsWith("default-src 'none'; script-src 'sha256-");
    assertThat(policy).doesNotContain("unsafe").doesNotContain("http");
    Matcher scripts = SCRIPT.matcher(html);
    int count = 0;
    while (scripts.find()) {
      count++;
      if (scripts.group(1).contains("application/json")) {
        assertThat(scripts.group(2)).doesNotContain("<");
        JsonNode data = JsonMapper.shared().readTree(scripts.group(2));
        assertThat(data.path("behaviours").path(1).path("prompt").asString())
            .isEqualTo(ReportSamples.HOSTILE);
      } else {
        assertThat(policy).contains(hash(scripts.group(2)));
      }
    }
    assertThat(count).isEqualTo(3);
    String style = html.replaceAll("(?s).*?<style>(.*?)</style>.*", "$1");
    assertThat(policy).contains(hash(style));
    String markup = scripts.replaceAll("").replace(style, "");
    assertThat(markup).hasSizeLessThan(3000);
    assertThat(markup)
        .doesNotContain("{{")
        .doesNotContain("<link")
        .doesNotContain("src=")
        .doesNotContain("hacked");
  }

  @Test
  void aReportReplacesAnotherInOnePiece(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("report.html"), "old");
    HtmlReport.checkWritable(file);
    assertThat(file).hasContent("old");
    HtmlReport.write(ReportSamples.partial(), file);
    assertThat(Files.readString(file)).startsWith("<!doctype html>").endsWith("</html>\n");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void whatCannotBeWrittenIsToldBeforehand(@TempDir Path folder) {
    assertThatThrownBy(() -> HtmlReport.checkWritable(folder))
        .isInstanceOf(PelicanException.class)
        .hasMessage(folder + " is a folder, expected the name of a file");
    Path file = folder.resolve("none").resolve("report.html");
    assertThatThrownBy(() -> HtmlReport.checkWritable(file))
        .isInstanceOf(PelicanException.class)
        .hasMessage("cannot write " + file + ".part: there is no such folder");
  }

  @Test
  void modulesAreJoinedWithTheirOwnNames() {
    Map<String, String> modules =
        Map.of(
            "a/main.js",
            "import { one,\n  two } from './x.js';\nimport { one } from '../y.js';\nuse(two);",
            "a/x.js",
            "import { base } from '../y.js';\n"
                + "export const one = base;\n"
                + "export async function two() {}",
            "y.js",
            "export const base = 1;\nexport class one {}\nconst kept = 2;");
    assertThat(ModuleScript.join("a/main.js", modules::get))
        .isEqualTo(
            """
            'use strict';
            const module0 = (() => {
            const base = 1;
            class one {}
            const kept = 2;
            return { base, one };
            })();
            const module1 = (() => {
            const { base } = module0;
            const one = base;
            async function two() {}
            return { one, two };
            })();
            const module2 = (() => {
            const { one,
              two } = module1;
            const { one } = module0;
            use(two);
            return {  };
            })();
            """);
    for (String text :
        List.of("import x from './y.js';", "export default 3;", "export * from 'y';")) {
      assertThatThrownBy(() -> ModuleScript.join("a.js", path -> text))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("a.js cannot be joined: " + text);
    }
  }
}
