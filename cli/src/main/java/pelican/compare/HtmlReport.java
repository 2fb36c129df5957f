package pelican.compare;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import pelican.engine.PelicanException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A report as one HTML file that needs nothing else: its data as JSON, and the styles and scripts
 * that draw it. A browser runs in it what has the right hash and nothing more, and loads nothing.
 */
public final class HtmlReport {
  /** The hash of the style sheet that the chart library puts into each drawing of class plot. */
  public static final String CHART_STYLE_HASH =
      "sha256-+TfQir1nvDucAdvE6XUQBt4ayUjpAWkbw2kCdSfekHM=";

  private static final String WEB = "/pelican/server/web/";
  private static final List<String> STYLES = List.of("palette.css", "answer.css", "report.css");
  private static final Pattern PLACE = Pattern.compile("\\{\\{([a-z]+)}}");

  private static final Pattern SCRIPT_TAG = Pattern.compile("(?i)</?script");

  private HtmlReport() {}

  /** The text of the file. */
  public static String html(Report report) {
    String style =
        STYLES.stream().map(HtmlReport::resource).collect(Collectors.joining("\n", "\n", "\n"));
    String library = inScript("vendor/plot.js", resource("vendor/plot.js"));
    String script =
        inScript("report/report.js", ModuleScript.join("report/report.js", HtmlReport::resource));
    String title =
        report.models().stream().map(ModelFacts::model).collect(Collectors.joining(", "));
    String policy =
        "default-src 'none'; script-src '%s' '%s'; style-src '%s' '%s'; img-src data:; base-uri 'none'; form-action 'none'"
            .formatted(hash(library), hash(script), hash(style), CHART_STYLE_HASH);
    Map<String, String> parts =
        Map.of(
            "policy", policy,
            "title", title.replace("&", "&amp;").replace("<", "&lt;"),
            "style", style,
            "library", library,
            "data", json(report),
            "script", script);
    // What is put in is not looked through again: answers may hold braces.
    return PLACE
        .matcher(resource("report.html"))
        .replaceAll(place -> Matcher.quoteReplacement(parts.get(place.group(1))));
  }

  /** JSON in which no end tag can stand, whatever a model answered. */
  private static String json(Report report) {
    return JsonMapper.shared().writeValueAsString(report).replace("<", "\\u003c");
  }

  /** Makes sure that a text can stand in a script element as it is. */
  private static String inScript(String name, String text) {
    if (SCRIPT_TAG.matcher(text).find()) {
      throw new IllegalStateException(name + " holds a tag that a script element cannot hold");
    }
    return text;
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return "sha256-" + Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static String resource(String name) {
    try (InputStream in = HtmlReport.class.getResourceAsStream(WEB + name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not in the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new PelicanException("cannot read " + name + ": " + e.getMessage(), e);
    }
  }

  /**
   * Finds out whether a file can be written, before hours of work are put into it.
   *
   * @throws PelicanException if not
   */
  public static void checkWritable(Path file) {
    if (Files.isDirectory(file)) {
      throw new PelicanException(file + " is a folder, expected the name of a file");
    }
    Path part = part(file);
    try {
      Files.write(part, new byte[0]);
      Files.delete(part);
    } catch (IOException e) {
      throw new PelicanException("cannot write " + part + ": " + reason(e), e);
    }
  }

  /**
   * Writes a report. The file is whole at any time: the old one or the new.
   *
   * @throws PelicanException if it cannot be written
   */
  public static void write(Report report, Path file) {
    Path part = part(file);
    try {
      Files.writeString(part, html(report));
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new PelicanException("cannot write " + file + ": " + reason(e), e);
    }
  }

  private static Path part(Path file) {
    return file.resolveSibling(file.getFileName() + ".part");
  }

  private static String reason(IOException e) {
    return e instanceof java.nio.file.NoSuchFileException
        ? "there is no such folder"
        : e instanceof java.nio.file.FileSystemException failed && failed.getReason() != null
            ? failed.getReason()
            : e.getClass().getSimpleName();
  }
}
