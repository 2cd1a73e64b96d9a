package io.lb4j.examples.config;

import io.lb4j.monitor.HttpCheck;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.Observation;
import io.lb4j.monitor.StatusRange;
import io.lb4j.monitor.UdpCheck;
import io.lb4j.monitor.Watermark;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.settings.ConfigurationError;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads how servers are watched, of a service and of a single server. Owned by one thread. */
final class MonitorReader {
  private static final String OTHER = "the monitor has no use for it";
  private static final Keys COMMON = Keys.of("type", "interval", "timeout", "in", "out", "jitter");

  static final Keys NOBODY =
      Keys.of("type").refusing(OTHER, "interval", "timeout", "in", "out", "jitter", "port", "send", "expect", "path");
  static final Keys PING = COMMON.refusing(OTHER, "port", "send", "expect", "silence", "method", "path", "host", "text");
  static final Keys TCP =
      COMMON.and(List.of("port")).refusing(OTHER, "send", "expect", "silence", "method", "path", "host", "text");
  static final Keys UDP =
      COMMON.and(List.of("port", "send", "expect", "silence")).refusing(OTHER, "method", "path", "host", "text");
  static final Keys HTTP =
      COMMON.and(List.of("port", "method", "path", "host", "expect", "text")).refusing(OTHER, "send", "silence");
  static final Keys MONITORS = Keys.of("all-of", "any-of");
  static final Keys OBSERVATION = Keys.of("window", "minimum", "ratio", "inhibit", "longest");
  static final Keys WATERMARK = Keys.of("low", "high");

  /** The keys of a service that are read here; a server has the first two. */
  static final List<String> KEYS = List.of("monitor", "monitors", "observation", "watermark");

  /** A payload that is no text begins with this. */
  static final String HEXADECIMAL = "hex:";

  private static final Map<String, Keys> TYPES =
      Map.of("none", NOBODY, "tcp", TCP, "dsr", TCP, "ping", PING, "udp", UDP, "http", HTTP);

  private final SettingLines lines;

  MonitorReader(SettingLines lines) {
    this.lines = lines;
  }

  /** Who watches where the file says nothing: whether a TCP service's one port can be connected to, nobody else. */
  static Monitors defaults(Protocol protocol, PortRange ports) {
    boolean watched = protocol == Protocol.TCP && ports.size() == 1;
    return watched ? Monitors.of(Monitor.tcp().build()) : Monitors.NONE;
  }

  /** What {@code monitor} or {@code monitors} says, or nothing when neither is there. */
  Optional<Monitors> monitors(Section section) {
    Optional<Monitors> single = section.get("monitor", Optional.empty(), value -> Optional.of(single(value)));
    return section.get("monitors", single, value -> Optional.of(several(value, section)));
  }

  private Monitors single(Value value) {
    List<Monitor> monitors = new ArrayList<>();
    read(value, monitors);
    return new Monitors(Monitors.Require.ALL, monitors);
  }

  private Monitors several(Value value, Section section) {
    if (section.has("monitor")) {
      throw value.refuse(ConfigurationError.CONTRADICTION, "stands beside 'monitor'");
    }
    Section choice = value.section(MONITORS);
    lines.add(choice);
    if (choice.has("all-of") == choice.has("any-of")) {
      throw value.refuse(ConfigurationError.CONTRADICTION, "either all-of or any-of is expected");
    }
    Monitors[] monitors = {Monitors.NONE};
    choice.with("all-of", list -> monitors[0] = new Monitors(Monitors.Require.ALL, list(list)));
    choice.with("any-of", list -> monitors[0] = new Monitors(Monitors.Require.ANY, list(list)));
    return monitors[0];
  }

  private List<Monitor> list(Value list) {
    List<Monitor> monitors = new ArrayList<>();
    list.each(entry -> read(entry, monitors));
    return monitors;
  }

  /** A word for a type, or a mapping; adds nothing for {@code none}, and when a part was refused and noted. */
  private void read(Value value, List<Monitor> monitors) {
    String type = value.isMapping() ? value.peek("type").orElse("") : value.text();
    Keys keys = TYPES.get(type);
    if (keys == null) {
      throw value.refuse(
          ConfigurationError.NOT_READABLE, "a type is expected, one of none, tcp, ping, udp, http, dsr");
    }
    if (value.isMapping()) {
      Section section = value.section(keys);
      lines.add(section);
      if (keys != NOBODY) {
        section.guardBuild(lines, () -> monitors.add(monitor(type, section)));
      }
    } else if (keys != NOBODY) {
      monitors.add(plain(type).build());
    }
  }

  private Monitor monitor(String type, Section section) {
    Monitor.Options options = options(type, section);
    section.with("port", port -> options.port(port.integer(1, 65535)));
    section.with("interval", time -> options.interval(time.duration()));
    section.with("timeout", time -> options.timeout(time.duration()));
    section.with("in", count -> options.in(count.integer()));
    section.with("out", count -> options.out(count.integer()));
    section.with("jitter", share -> options.jitter(share.share()));
    return options.build();
  }

  private static Monitor.Options plain(String type) {
    return switch (type) {
      case "tcp" -> Monitor.tcp();
      case "ping" -> Monitor.ping();
      case "dsr" -> Monitor.dsr();
      case "udp" -> Monitor.udp(UdpCheck.sending(new byte[0]));
      default -> Monitor.http(HttpCheck.get("/"));
    };
  }

  private Monitor.Options options(String type, Section section) {
    return switch (type) {
      case "udp" -> udp(section);
      case "http" -> http(section);
      default -> plain(type);
    };
  }

  private Monitor.Options udp(Section section) {
    UdpCheck[] check = {UdpCheck.sending(new byte[0])};
    section.with("send", value -> check[0] = UdpCheck.sending(payload(value)));
    section.with("expect", value -> check[0] = check[0].expecting(payload(value)));
    section.with("silence", value -> check[0] = check[0].silencePasses(silencePasses(value)));
    return Monitor.udp(check[0]);
  }

  private static byte[] payload(Value value) {
    String text = value.text();
    return text.startsWith(HEXADECIMAL)
        ? HexFormat.of().parseHex(text.substring(HEXADECIMAL.length()))
        : text.getBytes(StandardCharsets.UTF_8);
  }

  private static boolean silencePasses(Value value) {
    return switch (value.text()) {
      case "up" -> true;
      case "down" -> false;
      default -> throw value.refuse(ConfigurationError.NOT_READABLE, "one of up, down is expected");
    };
  }

  private Monitor.Options http(Section section) {
    HttpCheck[] check = {HttpCheck.get("/")};
    section.with("path", value -> check[0] = HttpCheck.get(value.text()));
    section.with("host", value -> check[0] = check[0].host(value.text()));
    section.with("expect", value -> check[0] = check[0].expecting(codes(value)));
    section.with("text", value -> check[0] = check[0].containing(value.text()));
    section.with("method", value -> check[0] = method(value, check[0]));
    return Monitor.http(check[0]);
  }

  private static String[] codes(Value value) {
    return value.listOrOne().stream().map(Value::text).toArray(String[]::new);
  }

  private static HttpCheck method(Value value, HttpCheck check) {
    return switch (value.text()) {
      case "get" -> check;
      case "head" -> new HttpCheck(true, check.path(), check.host(), check.expect(), check.text());
      default -> throw value.refuse(ConfigurationError.NOT_READABLE, "one of get, head is expected");
    };
  }

  /** Switched on with its defaults, or with some of them changed. */
  Optional<Observation> observation(Value value) {
    if (!value.isMapping()) {
      return value.yes() ? Optional.of(Observation.defaults()) : Optional.empty();
    }
    Section section = value.section(OBSERVATION);
    lines.add(section);
    Observation defaults = Observation.defaults();
    Duration window = section.get("window", defaults.window(), Value::duration);
    int minimum = section.get("minimum", defaults.minimum(), Value::integer);
    double ratio = section.get("ratio", defaults.ratio(), Value::share);
    Duration inhibit = section.get("inhibit", defaults.inhibit(), Value::duration);
    Duration longest = section.get("longest", defaults.longest(), Value::duration);
    Observation[] built = {defaults};
    section.guardBuild(lines, () -> built[0] = new Observation(window, minimum, ratio, inhibit, longest));
    return Optional.of(built[0]);
  }

  /** A share, or a mapping of two. */
  Watermark watermark(Value value) {
    if (!value.isMapping()) {
      return Watermark.of(value.share());
    }
    Section section = value.section(WATERMARK);
    lines.add(section);
    double low = section.get("low", 0.0, Value::share);
    double high = section.get("high", low, Value::share);
    Watermark[] built = {Watermark.NONE};
    section.guardBuild(lines, () -> built[0] = new Watermark(low, high));
    return built[0];
  }
}
