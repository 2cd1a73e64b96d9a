package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import io.lb4j.examples.report.Json;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a client asks for: a JSON object with {@code command} and its arguments. Immutable. */
final class Request {
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

  static String shown(String text) {
    String shorter = text.length() > 60 ? text.substring(0, 60) + "..." : text;
    return shorter.replaceAll("\\p{Cntrl}", "?");
  }
}
