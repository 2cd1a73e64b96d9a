package io.lb4j.examples.config;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * A value of the file with its place. Its readers throw {@link ConfigurationException}, which the mapping it stands in
 * notes with the line. Immutable.
 */
final class Value {

  private static final int MOST_SHOWN = 60;

  private final Findings findings;
  private final String setting;
  private final Node node;

  Value(Findings findings, String setting, Node node) {
    this.findings = findings;
    this.setting = setting;
    this.node = node;
  }

  int line() {
    return lineOf(node);
  }

  static int lineOf(Node node) {
    return node.getStartMark() == null ? 0 : node.getStartMark().getLine() + 1;
  }

  String setting() {
    return setting;
  }

  boolean isList() {
    return node instanceof SequenceNode;
  }

  boolean isMapping() {
    return node instanceof MappingNode;
  }

  ConfigurationException refuse(ConfigurationError error, String reason) {
    return new ConfigurationException(error, setting, shown(), reason);
  }

  private String shown() {
    if (node instanceof ScalarNode scalar) {
      return "'" + printable(scalar.getValue()) + "'";
    }
    return isList() ? "a list" : "a mapping";
  }

  /** At most {@value #MOST_SHOWN} characters, without control characters. */
  static String printable(String text) {
    return printable(text, MOST_SHOWN);
  }

  /** At most so many characters, without control characters, those of ISO 6429 included: terminals obey both kinds. */
  static String printable(String text, int most) {
    String shorter = text.length() > most ? text.substring(0, most) + "..." : text;
    return shorter.replaceAll("\\p{Cc}", "?");
  }

  String text() {
    if (!(node instanceof ScalarNode scalar)) {
      throw refuse(ConfigurationError.NOT_READABLE, "a single value is expected");
    }
    requireValue();
    return scalar.getValue();
  }

  /** Refuses a key that stands alone, whatever is expected of it. */
  void requireValue() {
    if (node instanceof ScalarNode scalar && (scalar.getTag().equals(Tag.NULL) || scalar.getValue().isBlank())) {
      throw refuse(ConfigurationError.MISSING, "the key has no value");
    }
  }

  /** A text that stands well in messages and paths of settings. */
  String name() {
    String name = text();
    if (!printable(name).equals(name)) {
      throw refuse(ConfigurationError.OUT_OF_RANGE, "a name has at most " + MOST_SHOWN + " characters, none of control");
    }
    return name;
  }

  int integer() {
    long number = number();
    if (number != (int) number) {
      throw refuse(ConfigurationError.OUT_OF_RANGE, "the number is too large");
    }
    return (int) number;
  }

  int integer(int least, int most) {
    int number = integer();
    if (number < least || number > most) {
      throw refuse(ConfigurationError.OUT_OF_RANGE, "not in " + least + ".." + most);
    }
    return number;
  }

  long number() {
    String text = text();
    if (!text.matches("[+-]?[0-9]{1,18}")) {
      throw refuse(ConfigurationError.NOT_READABLE, "a whole number is expected");
    }
    return Long.parseLong(text);
  }

  /** A decimal fraction. */
  double share() {
    String text = text();
    if (!text.matches("[0-9]{1,9}(\\.[0-9]{1,18})?")) {
      throw refuse(ConfigurationError.NOT_READABLE, "a share like 0, 0.25 or 1 is expected");
    }
    return Double.parseDouble(text);
  }

  boolean yes() {
    return switch (text().toLowerCase(Locale.ROOT)) {
      case "true", "yes", "on" -> true;
      case "false", "no", "off" -> false;
      default -> throw refuse(ConfigurationError.NOT_READABLE, "true or false is expected");
    };
  }

  Duration duration() {
    Duration duration =
        DurationText.parse(text())
            .orElseThrow(() -> refuse(ConfigurationError.NOT_READABLE, DurationText.FORM + " is expected"));
    if (duration.compareTo(Duration.ofDays(3650)) > 0) {
      throw refuse(ConfigurationError.OUT_OF_RANGE, "longer than ten years");
    }
    return duration;
  }

  /** A constant by its name in lower case with hyphens. */
  <E extends Enum<E>> E oneOf(Class<E> type) {
    String text = text();
    for (E constant : type.getEnumConstants()) {
      if (keyOf(constant).equals(text)) {
        return constant;
      }
    }
    List<String> names = List.of(type.getEnumConstants()).stream().map(Value::keyOf).toList();
    throw refuse(ConfigurationError.NOT_READABLE, "one of " + String.join(", ", names) + " is expected");
  }

  static String keyOf(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  List<Value> list() {
    requireValue();
    if (!(node instanceof SequenceNode sequence)) {
      throw refuse(ConfigurationError.NOT_READABLE, "a list is expected");
    }
    List<Node> nodes = sequence.getValue();
    return IntStream.range(0, nodes.size())
        .mapToObj(i -> new Value(findings, setting + "[" + i + "]", nodes.get(i)))
        .toList();
  }

  /** A list, or a single value as a list of one. */
  List<Value> listOrOne() {
    return isList() ? list() : List.of(this);
  }

  Section section(Keys keys) {
    return section(setting, keys);
  }

  /** The mapping under another name. */
  Section section(String name, Keys keys) {
    return new Section(findings, name, mapping(), keys);
  }

  MappingNode mapping() {
    requireValue();
    if (!(node instanceof MappingNode mapping)) {
      throw refuse(ConfigurationError.NOT_READABLE, "a mapping (key: value) is expected");
    }
    return mapping;
  }

  /** The text of a key of this mapping before the keys are checked, for messages and choices. */
  Optional<String> peek(String key) {
    return mapping().getValue().stream()
        .filter(tuple -> tuple.getKeyNode() instanceof ScalarNode name && name.getValue().equals(key))
        .map(tuple -> tuple.getValueNode() instanceof ScalarNode text ? text.getValue() : "")
        .filter(text -> !text.isBlank())
        .findFirst();
  }

  /** Reads each element of this list; what one refuses is noted and the others go on. */
  void each(Consumer<Value> reader) {
    list().forEach(value -> value.guard(() -> reader.accept(value)));
  }

  void guard(Runnable step) {
    findings.guard(line(), setting, step);
  }
}
