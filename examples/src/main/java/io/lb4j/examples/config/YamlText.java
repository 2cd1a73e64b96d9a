package io.lb4j.examples.config;

import io.lb4j.address.IpPrefix;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Writes trees of mappings, lists and values as YAML. A {@link Map} becomes lines of its own, a {@link Line} a mapping
 * in one line; values are written as they are, and texts that a reader could take for something else come from
 * {@link #text}. Owned by one thread.
 */
final class YamlText {
  private static final int LONGEST_LINE = 100;
  private static final Set<String> WORDS = Set.of("null", "true", "false", "yes", "no", "on", "off", "y", "n");

  private final StringBuilder out = new StringBuilder();

  /** A mapping that is written in one line. Immutable. */
  record Line(Map<String, Object> entries) {
    @Override
    public String toString() {
      return entries.entrySet().stream()
          .map(entry -> entry.getKey() + ": " + inline(entry.getValue()))
          .collect(Collectors.joining(", ", "{", "}"));
    }
  }

  /** The tree as a document. */
  static String document(Map<String, Object> tree) {
    YamlText yaml = new YamlText();
    yaml.mapping(tree, "");
    return yaml.out.toString();
  }

  private void mapping(Map<?, ?> mapping, String indent) {
    mapping.forEach((key, value) -> {
      out.append(indent).append(key).append(':');
      value(value, indent);
    });
  }

  private void value(Object value, String indent) {
    boolean isLong = value instanceof Collection<?> && !isInline(value);
    if (value instanceof Map<?, ?> mapping && !mapping.isEmpty()) {
      out.append('\n');
      mapping(mapping, indent + "  ");
    } else if (isLong) {
      out.append('\n');
      ((Collection<?>) value).forEach(element -> element(element, indent + "  "));
    } else {
      out.append(' ').append(inline(value)).append('\n');
    }
  }

  private void element(Object element, String indent) {
    if (element instanceof Map<?, ?> mapping) {
      int begin = out.length();
      mapping(mapping, indent + "  ");
      out.replace(begin, begin + indent.length() + 2, indent + "- ");
    } else {
      out.append(indent).append("- ").append(inline(element)).append('\n');
    }
  }

  private static boolean isInline(Object value) {
    boolean values = ((Collection<?>) value).stream().noneMatch(e -> e instanceof Map<?, ?> || e instanceof Line);
    return values && inline(value).length() <= LONGEST_LINE;
  }

  private static String inline(Object value) {
    if (value instanceof Map<?, ?>) {
      return "{}";
    }
    return value instanceof Collection<?> list
        ? list.stream().map(YamlText::inline).collect(Collectors.joining(", ", "[", "]"))
        : String.valueOf(value);
  }

  /** A text that stays the text it is: plain where nothing else has its form, else in quotes. */
  static String text(Object value) {
    String text = value.toString();
    boolean word = text.matches("[A-Za-z][A-Za-z0-9._/-]*") && !WORDS.contains(text.toLowerCase(Locale.ROOT));
    boolean address = text.matches("[0-9]+(\\.[0-9]+){3}(/[0-9]+)?");
    return word || address ? text : quoted(text);
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || c > '~') {
        quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  /** A prefix, or the address alone that it holds. */
  static String prefix(IpPrefix prefix) {
    return text(prefix.isHost() ? prefix.address() : prefix);
  }

  /** One value alone, several as a list. */
  static Object oneOrList(List<String> values) {
    return values.size() == 1 ? values.get(0) : values;
  }

  /** A number of the largest unit that leaves no rest. */
  static String duration(String setting, Duration duration) {
    long ms = duration.toMillis();
    if (!Duration.ofMillis(ms).equals(duration)) {
      throw new ConfigurationException(
          ConfigurationError.NOT_SUPPORTED, setting, duration, "a file has no parts of milliseconds");
    }
    long[] sizes = {86_400_000, 3_600_000, 60_000, 1000};
    String[] units = {"d", "h", "m", "s"};
    for (int i = 0; i < sizes.length; i++) {
      if (ms != 0 && ms % sizes[i] == 0) {
        return ms / sizes[i] + units[i];
      }
    }
    return ms == 0 ? "0s" : ms + "ms";
  }
}
