package io.lb4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.event.Event;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlightRecordsTest {
  private static final IpAddress VIP = IpAddress.of("192.0.2.100");
  private static final MacAddress MAC = MacAddress.of("02:00:00:00:00:99");

  @TempDir Path directory;

  /** One of each type, so that a new one is not forgotten here. */
  private static List<Event> all() {
    return List.of(
        new Event.ServerUp("web", "rs1", "answered"),
        new Event.ServerDown("web", "rs1", "refused", "port 80"),
        new Event.MassFailure("web", 3, 4, true),
        new Event.ConnectionLimit("web", Optional.of("rs1"), 100, true),
        new Event.FlowTablePressure(7, Long.MAX_VALUE),
        new Event.NeighborFound("eth0", VIP, MAC),
        new Event.NeighborLost("eth0", VIP, Optional.empty()),
        new Event.NeighborMoved("eth0", VIP, MAC, MacAddress.of("02:00:00:00:00:98"), 2),
        new Event.VirtualAddressClaimed("eth0", VIP),
        new Event.VirtualAddressConflict("eth0", VIP, MAC, false),
        new Event.ServerSetupFault("vip-leaked", "eth0", VIP, VIP, "it asks as the virtual address"),
        new Event.ServicesChanged(12, 3),
        new Event.DoubtfulSetting("no-server", "service web: servers", "there is none", "add a server"),
        new Event.RoleChanged(false));
  }

  private List<RecordedEvent> record(List<Event> events, long suppressed) throws IOException {
    Path file = directory.resolve("events.jfr");
    try (Recording recording = new Recording()) {
      for (Event event : events) {
        recording.enable("io.lb4j." + event.getClass().getSimpleName());
      }
      recording.start();
      FlightRecords records = new FlightRecords();
      events.forEach(event -> records.onEvent(event, suppressed));
      recording.stop();
      recording.dump(file);
    }
    return RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().startsWith("io.lb4j."))
        .toList();
  }

  @Test
  void shouldRecordEveryTypeAsOneOfItsOwn() throws IOException {
    List<Event> events = all();
    assertThat(events.stream().map(Event::getClass)).hasSize((int) kinds(Event.class).count());
    List<RecordedEvent> recorded = record(events, 0);
    assertThat(recorded.stream().map(event -> event.getEventType().getName()))
        .containsExactlyInAnyOrderElementsOf(
            events.stream().map(event -> "io.lb4j." + event.getClass().getSimpleName()).toList());
    assertThat(recorded.stream().map(event -> event.getString("text")))
        .containsExactlyInAnyOrderElementsOf(events.stream().map(Event::text).toList());
    assertThat(recorded).allMatch(event -> event.getEventType().getCategoryNames().equals(List.of("lb4j")));
  }

  @Test
  void shouldRecordComponentsSubjectAndHowManyWereLeftOut() throws IOException {
    RecordedEvent limit = record(List.of(new Event.ConnectionLimit("web", Optional.of("rs1"), 100, true)), 6).get(0);
    assertThat(limit.getString("subject")).isEqualTo("web/rs1");
    assertThat(limit.getLong("suppressed")).isEqualTo(6);
    assertThat(limit.getString("service")).isEqualTo("web");
    assertThat(limit.getString("server")).isEqualTo("rs1");
    assertThat(limit.getInt("limit")).isEqualTo(100);
    assertThat(limit.getBoolean("reached")).isTrue();
    assertThat(limit.getEventType().getLabel()).isEqualTo("Connection limit");
    assertThat(limit.getStackTrace()).isNull();
  }

  @Test
  void shouldWriteAddressesAsTextAndNothingAsEmpty() throws IOException {
    RecordedEvent lost = record(List.of(new Event.NeighborLost("eth0", VIP, Optional.empty())), 0).get(0);
    assertThat(lost.getString("networkInterface")).isEqualTo("eth0");
    assertThat(lost.getString("address")).isEqualTo("192.0.2.100");
    assertThat(lost.getString("mac")).isEmpty();
  }

  /** Run without the module by the test below. */
  static final class WithoutModule {
    private WithoutModule() {}

    public static void main(String[] arguments) {
      EventHub hub = new EventHub(List.of(event -> System.out.println("heard " + event.text())), () -> 0, () -> {});
      all().forEach(hub::onEvent);
      hub.tick(0);
      System.out.println("present " + EventHub.isRecorderPresent() + ", told " + hub.counts().told());
    }
  }

  @Test
  void shouldWorkWithoutTheModule() throws IOException, InterruptedException {
    String java = System.getProperty("java.home") + File.separator + "bin" + File.separator + "java";
    Path output = directory.resolve("output.txt");
    Process process =
        new ProcessBuilder(java, "--limit-modules", "java.base,java.logging,java.management,jdk.unsupported", "-cp",
                System.getProperty("java.class.path"), WithoutModule.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    String printed = Files.readString(output);
    assertThat(process.exitValue()).as(printed).isZero();
    assertThat(printed).contains("heard server web/rs1 is up: answered", "present false, told 14");
    assertThat(EventHub.isRecorderPresent()).as("here").isTrue();
  }

  /** The records below a sealed type, however deep. */
  private static Stream<Class<?>> kinds(Class<?> type) {
    return type.isSealed() ? Stream.of(type.getPermittedSubclasses()).flatMap(FlightRecordsTest::kinds) : Stream.of(type);
  }
}
