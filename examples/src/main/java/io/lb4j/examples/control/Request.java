package io.lb4j.examples.control;

import io.lb4j.address.IpPrefix;
import io.lb4j.examples.CommandException;
import io.lb4j.examples.config.DurationText;
import io.lb4j.examples.report.Json;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What a client asks for: a JSON object with {@code command} and its arguments. Immutable. */
final class Request {
  private static final Duration LONGEST_TIME = Duration.ofDays(3650);

  private final Map<String, Object> members;

  private Request(Map<String, Object> members) {
    this.members = members;
  }

  /**
   * Reads a line.
   *
   * @throws CommandException when it is no JSON object
   */
  static Request parse(String line) throws CommandException {
    try {
      return new Request(Json.object(line));
    } catch (IOException e) {
      throw new CommandException("the request is not a JSON object: " + firstLine(e));
    }
  }

  private static String firstLine(IOException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  String command() throws CommandException {
    return text("command");
  }

  /** Refuses members that the command does not know. */
  void allow(List<String> keys) throws CommandException {
    for (String key : members.keySet()) {
      if (!key.equals("command") && !keys.contains(key)) {
        throw new CommandException("the command has no '" + shown(key) + "'; it has: " + String.join(", ", keys));
      }
    }
  }

  Optional<String> find(String key) throws CommandException {
    Object value = members.get(key);
    if (value != null && !(value instanceof String)) {
      throw new CommandException("'" + key + "' has to be a text");
    }
    return Optional.ofNullable((String) value);
  }

  String text(String key) throws CommandException {
    return find(key).orElseThrow(() -> new CommandException("'" + key + "' is missing"));
  }

  boolean flag(String key) throws CommandException {
    Object value = members.getOrDefault(key, false);
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw new CommandException("'" + key + "' has to be true or false");
  }

  long number(String key, long least, long most) throws CommandException {
    if (members.get(key) instanceof Long number && number >= least && number <= most) {
      return number;
    }
    throw new CommandException("'" + key + "' has to be a whole number in " + least + ".." + most);
  }

  long number(String key, long otherwise, long least, long most) throws CommandException {
    return members.containsKey(key) ? number(key, least, most) : otherwise;
  }

  Optional<IpPrefix> prefix(String key) throws CommandException {
    Optional<String> text = find(key);
    try {
      return text.map(IpPrefix::of);
    } catch (IllegalArgumentException e) {
      throw new CommandException("'" + key + "': " + e.getMessage());
    }
  }

  Optional<Duration> duration(String key) throws CommandException {
    Optional<String> text = find(key);
    Optional<Duration> duration = text.flatMap(DurationText::parse);
    if (text.isPresent() && duration.filter(time -> time.compareTo(LONGEST_TIME) <= 0).isEmpty()) {
      throw new CommandException("'" + key + "' has to be " + DurationText.FORM + ", ten years at most");
    }
    return duration;
  }

  /** Constants by their names in lower case, separated by commas. */
  <E extends Enum<E>> Set<E> constants(String key, Class<E> type) throws CommandException {
    Set<E> constants = EnumSet.noneOf(type);
    for (String word : find(key).map(text -> text.split(",")).orElse(new String[0])) {
      constants.add(constant(key, word, type));
    }
    return constants;
  }

  private static <E extends Enum<E>> E constant(String key, String word, Class<E> type) throws CommandException {
    for (E constant : type.getEnumConstants()) {
      if (word(constant).equals(word)) {
        return constant;
      }
    }
    List<String> words = Stream.of(type.getEnumConstants()).map(Request::word).toList();
    throw new CommandException("'" + key + "' has to be of: " + String.join(", ", words));
  }

  static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static String shown(String text) {
    String shorter = text.length() > 60 ? text.substring(0, 60) + "..." : text;
    return shorter.replaceAll("\\p{Cntrl}", "?");
  }
}
