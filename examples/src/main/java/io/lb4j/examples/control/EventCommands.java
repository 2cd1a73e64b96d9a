package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** {@code events}: the last ones, or from now on. Owned by the control thread. */
final class EventCommands {
  private final EventLog events;

  EventCommands(EventLog events) {
    this.events = events;
  }

  void addTo(Commands commands) {
    commands.add("events", this::events, "follow");
  }

  private Reply events(Request request, Exchange exchange) throws CommandException {
    if (request.flag("follow")) {
      exchange.followEvents();
      return new Reply(Map.of("follow", true), "");
    }
    List<EventLog.Entry> kept = events.since(0, Integer.MAX_VALUE);
    String text = kept.stream().map(entry -> entry.text() + "\n").collect(Collectors.joining());
    return new Reply(Map.of("events", kept.stream().map(EventLog.Entry::tree).toList()), text);
  }
}
