package io.lb4j.examples.config;

import static io.lb4j.examples.config.CanonicalText.putUnless;

import io.lb4j.monitor.Check;
import io.lb4j.monitor.HttpCheck;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.Observation;
import io.lb4j.monitor.StatusRange;
import io.lb4j.monitor.UdpCheck;
import io.lb4j.monitor.Watermark;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How servers are watched, in canonical form. Immutable. */
final class CanonicalMonitors {
  private static final List<StatusRange> SUCCESS = HttpCheck.get("/").expect();

  private final String setting;

  /**
   * The form of one service's, or one server's monitors.
   *
   * @param setting the path of either
   */
  CanonicalMonitors(String setting) {
    this.setting = setting;
  }

  void put(Map<String, Object> tree, Monitors monitors) {
    List<Object> list = monitors.list().stream().map(this::monitor).toList();
    if (list.isEmpty()) {
      tree.put("monitor", "none");
    } else if (list.size() == 1) {
      tree.put("monitor", list.get(0));
    } else {
      String choice = monitors.require() == Monitors.Require.ALL ? "all-of" : "any-of";
      tree.put("monitors", new YamlText.Line(Map.of(choice, list)));
    }
  }

  /** The word for its type where nothing else differs. */
  private Object monitor(Monitor monitor) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("type", monitor.check().type());
    check(line, monitor.check());
    putUnless(line, "port", monitor.port(), 0);
    Duration interval = monitor.interval();
    if (!interval.equals(Monitor.DEFAULT_INTERVAL)) {
      line.put("interval", duration("interval", interval));
    }
    Duration usual = interval.compareTo(Monitor.DEFAULT_TIMEOUT) < 0 ? interval : Monitor.DEFAULT_TIMEOUT;
    if (!monitor.timeout().equals(usual)) {
      line.put("timeout", duration("timeout", monitor.timeout()));
    }
    putUnless(line, "in", monitor.in(), Monitor.DEFAULT_IN);
    putUnless(line, "out", monitor.out(), Monitor.DEFAULT_OUT);
    putUnless(line, "jitter", share(monitor.jitter()), share(Monitor.DEFAULT_JITTER));
    return line.size() == 1 ? monitor.check().type() : new YamlText.Line(line);
  }

  private String duration(String key, Duration value) {
    return YamlText.duration(setting + ": monitor: " + key, value);
  }

  private void check(Map<String, Object> line, Check check) {
    if (check instanceof UdpCheck udp) {
      putUnless(line, "send", payload(udp.send()), "");
      putUnless(line, "expect", payload(udp.expect()), "");
      putUnless(line, "silence", udp.silencePasses() ? "up" : "down", "down");
    } else if (check instanceof HttpCheck http) {
      putUnless(line, "method", http.head() ? "head" : "get", "get");
      putUnless(line, "path", YamlText.text(http.path()), YamlText.text("/"));
      http.host().ifPresent(host -> line.put("host", YamlText.text(host)));
      if (!http.expect().equals(SUCCESS)) {
        line.put("expect", YamlText.oneOrList(http.expect().stream().map(StatusRange::toString).toList()));
      }
      putUnless(line, "text", YamlText.text(http.text()), YamlText.text(""));
    } else if (check instanceof Check.Own own) {
      throw new ConfigurationException(
          ConfigurationError.NOT_SUPPORTED, setting + ": monitor", own.type(), "a file has no functions");
    }
  }

  private static String payload(byte[] bytes) {
    if (bytes.length == 0) {
      return "";
    }
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    boolean shows = text.matches("[!-~]([ -~]*[!-~])?") && !text.startsWith(MonitorReader.HEXADECIMAL);
    return YamlText.text(shows ? text : MonitorReader.HEXADECIMAL + HexFormat.of().formatHex(bytes));
  }

  private static String share(double share) {
    return new BigDecimal(Double.toString(share)).stripTrailingZeros().toPlainString();
  }

  Object observation(Observation observation) {
    Observation defaults = Observation.defaults();
    Map<String, Object> line = new LinkedHashMap<>();
    putDuration(line, "window", observation.window(), defaults.window());
    putUnless(line, "minimum", observation.minimum(), defaults.minimum());
    putUnless(line, "ratio", share(observation.ratio()), share(defaults.ratio()));
    putDuration(line, "inhibit", observation.inhibit(), defaults.inhibit());
    putDuration(line, "longest", observation.longest(), defaults.longest());
    return line.isEmpty() ? true : new YamlText.Line(line);
  }

  private void putDuration(Map<String, Object> line, String key, Duration value, Duration otherwise) {
    if (!value.equals(otherwise)) {
      line.put(key, YamlText.duration(setting + ": observation: " + key, value));
    }
  }

  Object watermark(Watermark watermark) {
    if (watermark.low() == watermark.high()) {
      return share(watermark.low());
    }
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("low", share(watermark.low()));
    line.put("high", share(watermark.high()));
    return new YamlText.Line(line);
  }
}
