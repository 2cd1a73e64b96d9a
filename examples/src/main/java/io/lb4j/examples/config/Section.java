package io.lb4j.examples.config;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;

/** A mapping of the file whose keys were checked: unknown, refused and repeated ones are noted. Owned by one thread. */
final class Section {
  private final Findings findings;
  private final String name;
  private final int line;
  private final Map<String, Value> values = new LinkedHashMap<>();

  Section(Findings findings, String name, MappingNode node, Keys keys) {
    this.findings = findings;
    this.name = name;
    this.line = Value.lineOf(node);
    entries(findings, name, node)
        .forEach((key, value) -> take(keys, key.getValue(), Value.lineOf(key), value));
  }

  /** The entries of a mapping without those whose key is no text or came before. */
  static Map<ScalarNode, Node> entries(Findings findings, String name, MappingNode node) {
    Map<String, Integer> seen = new LinkedHashMap<>();
    Map<ScalarNode, Node> entries = new LinkedHashMap<>();
    for (NodeTuple tuple : node.getValue()) {
      int line = Value.lineOf(tuple.getKeyNode());
      if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
        findings.add(line, ConfigurationError.NOT_READABLE, name, "a key has to be a text");
        continue;
      }
      Integer before = seen.putIfAbsent(key.getValue(), line);
      if (before != null) {
        String reason = "the key stands twice, first in line " + before;
        findings.add(line, ConfigurationError.DUPLICATE_KEY, path(name, Value.printable(key.getValue())), reason);
        continue;
      }
      entries.put(key, tuple.getValueNode());
    }
    return entries;
  }

  private void take(Keys keys, String key, int keyLine, Node value) {
    String setting = path(name, Value.printable(key));
    Optional<Keys.Refusal> refusal = keys.refusal(key);
    if (refusal.isPresent()) {
      findings.add(keyLine, refusal.get().error(), setting, refusal.get().reason());
    } else if (keys.knows(key)) {
      values.put(key, new Value(findings, setting, value));
    } else {
      String reason = name.isEmpty() ? "unknown key" : "unknown key '" + Value.printable(key) + "'";
      findings.add(keyLine, ConfigurationError.UNKNOWN_KEY.code(), setting, reason, keys.remedyFor(key));
    }
  }

  private static String path(String name, String key) {
    return name.isEmpty() ? key : name + ": " + key;
  }

  int line() {
    return line;
  }

  String name() {
    return name;
  }

  boolean has(String key) {
    return values.containsKey(key);
  }

  int lineOf(String key) {
    return values.containsKey(key) ? values.get(key).line() : line;
  }

  /** The lines of the keys there are. */
  Map<String, Integer> lines() {
    Map<String, Integer> lines = new LinkedHashMap<>();
    values.forEach((key, value) -> lines.put(key, value.line()));
    return lines;
  }

  /** Reads a key when it is there; what it refuses is noted. */
  void with(String key, Consumer<Value> reader) {
    Value value = values.get(key);
    if (value != null) {
      value.guard(() -> reader.accept(value));
    }
  }

  /** Reads a key, or answers a default; also when it is refused. */
  <T> T get(String key, T otherwise, Function<Value, T> reader) {
    Holder<T> holder = new Holder<>(otherwise);
    with(key, value -> holder.value = reader.apply(value));
    return holder.value;
  }

  /** Reads a key that has to be there; null and a note otherwise. */
  <T> T require(String key, Function<Value, T> reader) {
    if (!has(key)) {
      findings.add(line, ConfigurationError.MISSING, path(name, key), "the key is missing");
      return null;
    }
    return get(key, null, reader);
  }

  /** Builds a declaration of what was read; a refusal is noted at the line of the key, or the part, it names. */
  void guardBuild(SettingLines lines, Runnable step) {
    try {
      step.run();
    } catch (ConfigurationException e) {
      if (e.setting().startsWith(name + ": ")) {
        findings.add(Math.max(line, lines.lineOf(e.setting())), name, e);
      } else {
        String key = e.setting().substring(e.setting().lastIndexOf(' ') + 1);
        int place = has(key) ? lineOf(key) : Math.max(line, lines.lineOf(e.setting()));
        findings.add(place, has(key) ? path(name, key) : name, e);
      }
    }
  }

  private static final class Holder<T> {
    private T value;

    Holder(T value) {
      this.value = value;
    }
  }
}
