package pelican.cli;

import java.time.Duration;
import pelican.engine.PelicanException;
import pelican.server.http.HttpLimits;
import pelican.server.inference.KeepAlive;
import pelican.server.ollama.RequestReader;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of {@code serve} that say what clients may take. */
final class LimitOptions {
  private static final HttpLimits DEFAULT = HttpLimits.DEFAULT;

  /** Durations as Go writes them, above zero. */
  static final class Time implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      try {
        KeepAlive time = RequestReader.keepAlive(text);
        if (!time.isForever() && time.duration().toMillis() > 0) {
          return time.duration();
        }
      } catch (PelicanException e) {
        // told below, as what is not above zero
      }
      throw new TypeConversionException("'" + text + "' is no time, expected one such as 30s");
    }
  }

  @Option(
      names = "--max-body",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      description = "The largest JSON body; default: 64MiB.")
  private long maxBody = DEFAULT.maxBody();

  @Option(
      names = "--max-blob",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      description = "The largest file that is uploaded; default: 64GiB.")
  private long maxBlob = DEFAULT.maxBlob();

  @Option(
      names = "--max-header",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      description = "The longest header; default: 16KiB.")
  private long maxHeader = DEFAULT.maxHeader();

  @Option(
      names = "--max-connections",
      paramLabel = "N",
      description = "Connections at once; default: 1024.")
  private int maxConnections = DEFAULT.maxConnections();

  @Option(
      names = "--header-time",
      paramLabel = "TIME",
      converter = Time.class,
      description = "How long a header may take to come; default: 10s.")
  private Duration headerTime = DEFAULT.headerTime();

  @Option(
      names = "--body-time",
      paramLabel = "TIME",
      converter = Time.class,
      description = "How long a body, or 16 MiB of a file, may take to come; default: 60s.")
  private Duration bodyTime = DEFAULT.bodyTime();

  @Option(
      names = "--idle-time",
      paramLabel = "TIME",
      converter = Time.class,
      description = "How long a connection may do nothing; default: 75s.")
  private Duration idleTime = DEFAULT.idleTime();

  /**
   * @throws PelicanException if one of them is out of range
   */
  HttpLimits limits() {
    return new HttpLimits(
        within("--max-body", maxBody, 1, 1 << 30),
        maxBlob,
        (int) within("--max-header", maxHeader, 512, 1 << 20),
        headerTime,
        bodyTime,
        idleTime,
        (int) within("--max-connections", maxConnections, 1, 1 << 20));
  }

  private static long within(String name, long value, long least, long most) {
    if (value < least || value > most) {
      throw new PelicanException(name + " is " + value + ", expected " + least + " to " + most);
    }
    return value;
  }
}
