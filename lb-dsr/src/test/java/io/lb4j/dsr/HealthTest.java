package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.event.Event;
import io.lb4j.frame.Verdict;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Monitors;
import io.lb4j.monitor.Observation;
import io.lb4j.monitor.Watermark;
import io.lb4j.schedule.Candidate;
import io.lb4j.schedule.Schedule;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Health;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers that fail in every way, and what a balancer makes of it. */
class HealthTest {
  private static final long STEP_MILLIS = 50;

  private final Map<Integer, Fault> faults = new HashMap<>();
  private final List<Event> heard = new ArrayList<>();
  private Lan lan;
  private Asked asked;
  private int nextPort = 10_000;

  /** What is wrong with a server, and the reason by which a monitor calls it. */
  private enum Fault {
    NONE("answered"),
    PORT_CLOSED("refused"),
    NO_VIRTUAL_ADDRESS("dsr-vip-missing"),
    DEAD("timed-out");

    private final String reason;

    Fault(String reason) {
      this.reason = reason;
    }
  }

  static Stream<Arguments> familiesAndFaults() {
    return Stream.of(false, true)
        .flatMap(v6 -> EnumSet.complementOf(EnumSet.of(Fault.NONE)).stream().map(f -> Arguments.of(v6, f)));
  }

  /** In turn, so that few connections tell who is used. */
  private static VirtualServiceBuilder web(boolean v6, int servers) {
    return Lan.withServers(Lan.tcp(v6), v6, servers).scheduler(Schedulers.roundRobin());
  }

  private void open(boolean v6, int servers, UnaryOperator<VirtualServiceBuilder> service) {
    lan = new Lan(v6, b -> b.listener(heard::add).service(service.apply(web(v6, servers))));
    asked = new Asked(lan);
  }

  @AfterEach
  void close() {
    if (lan != null) {
      lan.close();
    }
  }

  /** Lets time pass, while servers answer as they can. */
  private void pass(Duration time) {
    for (long passed = 0; passed < time.toMillis(); passed += STEP_MILLIS) {
      lan.after(STEP_MILLIS);
      lan.balancer.tickControl(lan.nowNs);
      lan.after(0);
      asked.sent().forEach(this::serve);
      lan.balancer.tickControl(lan.nowNs);
    }
  }

  private void serve(Asked.Frame frame) {
    for (int n = 1; n <= 3; n++) {
      if (frame.destinationMac().equals(Lan.mac(n)) && frame.source().equals(lan.own())) {
        serve(frame, n, faults.getOrDefault(n, Fault.NONE));
      }
    }
  }

  private void serve(Asked.Frame frame, int server, Fault fault) {
    boolean mine = frame.target().equals(lan.server(server));
    boolean vip = frame.target().equals(lan.vip()) && fault != Fault.NO_VIRTUAL_ADDRESS;
    if (fault == Fault.DEAD || !mine && !vip) {
      return;
    }
    if (frame.isEcho()) {
      lan.process(asked.echoReply(frame));
    } else if (frame.tcpFlags() == TcpHeader.SYN && fault == Fault.PORT_CLOSED) {
      int reset = TcpHeader.RST | TcpHeader.ACK;
      lan.process(asked.from(frame.target()).tcp(80, frame.port(), reset).numbers(0, frame.sequence() + 1));
    } else if (frame.tcpFlags() == TcpHeader.SYN) {
      lan.process(asked.synAck(frame));
    }
  }

  private <T extends Event> List<T> told(Class<T> type) {
    List<T> found = heard.stream().filter(type::isInstance).map(type::cast).toList();
    heard.clear();
    return found;
  }

  /** The servers of so many new connections. */
  private Set<String> servers(int connections) {
    Set<String> names = new TreeSet<>();
    for (int n = 0; n < connections; n++) {
      names.add(lan.serverOf(lan.frame(1).tcp(nextPort++, 80, TcpHeader.SYN)));
    }
    return names;
  }

  private Health health(int server) {
    return lan.balancer.service("web").realServer("s" + server).health();
  }

  /** In turn, but without memory for it when it is told. */
  private static Scheduler shortOfMemory(AtomicBoolean isShort) {
    return new Scheduler() {
      @Override
      public String name() {
        return "short";
      }

      @Override
      public Schedule prepare(List<Candidate> candidates, long seed) {
        if (isShort.get()) {
          throw new OutOfMemoryError("of the test");
        }
        return Schedulers.roundRobin().prepare(candidates, seed);
      }
    };
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMakeUpForASnapshotThatCouldNotBeMade(boolean v6) {
    AtomicBoolean isShort = new AtomicBoolean();
    open(v6, 2, web -> web.monitor(Monitor.dsr().build()).scheduler(shortOfMemory(isShort)));
    pass(Duration.ofSeconds(6));
    assertThat(servers(20)).containsExactly("s1", "s2");
    faults.put(1, Fault.DEAD);
    isShort.set(true);
    pass(Duration.ofSeconds(30));
    assertThat(servers(20)).as("as before").containsExactly("s1", "s2");
    VirtualService before = lan.balancer.service("web").declaration();
    assertThatExceptionOfType(OutOfMemoryError.class)
        .isThrownBy(() -> lan.balancer.service("web").realServer("s2").weight(7));
    assertThat(lan.balancer.service("web").declaration()).as("a change is refused").isEqualTo(before);
    isShort.set(false);
    pass(Duration.ofSeconds(1));
    assertThat(servers(20)).containsExactly("s2");
  }

  @ParameterizedTest(name = "IPv6 {0}, {1}")
  @MethodSource("familiesAndFaults")
  void shouldFindEveryFaultInTimeWithItsReasonAndItsEndToo(boolean v6, Fault fault) {
    Monitor monitor = Monitor.dsr().build();
    open(v6, 2, web -> web.monitor(monitor));
    assertThat(health(1)).isEqualTo(Health.UNKNOWN);
    assertThat(servers(20)).as("a start loses no traffic").containsExactly("s1", "s2");
    pass(Duration.ofSeconds(6));
    assertThat(told(Event.ServerUp.class))
        .containsExactlyInAnyOrder(
            new Event.ServerUp("web", "s1", "answered"), new Event.ServerUp("web", "s2", "answered"));

    faults.put(1, fault);
    long faultNs = lan.nowNs;
    while (health(1) != Health.DOWN && lan.nowNs - faultNs < Duration.ofMinutes(1).toNanos()) {
      pass(Duration.ofMillis(STEP_MILLIS));
    }
    Duration took = Duration.ofNanos(lan.nowNs - faultNs);
    assertThat(took).isLessThanOrEqualTo(monitor.detection().plusMillis(2 * STEP_MILLIS));
    assertThat(servers(20)).containsExactly("s2");
    pass(Duration.ofSeconds(30));
    List<Event.ServerDown> down = told(Event.ServerDown.class);
    assertThat(down).as("told once").hasSize(1);
    assertThat(down.get(0).server()).isEqualTo("s1");
    assertThat(down.get(0).reason()).isEqualTo(fault.reason);
    assertThat(lan.stats("s1").health().reason()).isEqualTo(fault.reason);
    assertThat(lan.stats("s1").health().detail()).startsWith("dsr port 80: ");
    assertThat(lan.stats("s2").health().health()).isEqualTo(Health.UP);

    faults.clear();
    pass(Duration.ofMillis(10_600)); // twice the interval, and the jitter
    assertThat(told(Event.ServerUp.class)).containsExactly(new Event.ServerUp("web", "s1", "answered"));
    assertThat(servers(20)).containsExactly("s1", "s2");
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldNotSeeAMissingVirtualAddressByPing(boolean v6) {
    open(v6, 2, web -> web.monitor(Monitor.ping().build()));
    faults.put(1, Fault.NO_VIRTUAL_ADDRESS);
    pass(Duration.ofSeconds(60));
    assertThat(health(1)).as("that is what dsr is for").isEqualTo(Health.UP);
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldKeepAServerDownOverEveryChangeUntilItHasRisen(boolean v6) {
    open(v6, 2, web -> web.monitor(Monitor.dsr().build()));
    faults.put(1, Fault.DEAD);
    pass(Duration.ofSeconds(25));
    assertThat(health(1)).isEqualTo(Health.DOWN);
    heard.clear();
    VirtualServiceBuilder read = web(v6, 3); // as a file that is read again
    lan.balancer.replaceService(read.monitor(Monitor.dsr().build()).build());
    assertThat(health(1)).isEqualTo(Health.DOWN);
    assertThat(servers(20)).containsExactly("s2", "s3");
    lan.balancer.replaceService(read.monitor(Monitor.dsr().interval(Duration.ofSeconds(4)).build()).build());
    assertThat(health(1)).isEqualTo(Health.DOWN);
    pass(Duration.ofSeconds(30));
    assertThat(health(1)).as("by another monitor").isEqualTo(Health.DOWN);
    assertThat(told(Event.ServerDown.class)).as("nothing new").isEmpty();
    faults.clear();
    pass(Duration.ofSeconds(9));
    assertThat(health(1)).isEqualTo(Health.UP);
    lan.balancer.replaceService(read.monitors(Monitors.NONE).build());
    pass(Duration.ofSeconds(1));
    assertThat(health(1)).as("nobody watches").isEqualTo(Health.UNKNOWN);
  }

  @Test
  void shouldTellWhatTheHostReports() {
    open(false, 2, web -> web.monitor(Monitor.ping().build()));
    pass(Duration.ofSeconds(6));
    heard.clear();
    lan.balancer.service("web").realServer("s1").report(Health.DOWN, "deployment");
    lan.balancer.service("web").realServer("s1").report(Health.DOWN, "deployment");
    pass(Duration.ofSeconds(20));
    assertThat(told(Event.ServerDown.class)).containsExactly(new Event.ServerDown("web", "s1", "deployment", ""));
    assertThat(servers(10)).as("though it answers pings").containsExactly("s2");
    lan.balancer.service("web").realServer("s1").report(Health.UNKNOWN);
    pass(Duration.ofSeconds(1));
    assertThat(told(Event.ServerUp.class)).containsExactly(new Event.ServerUp("web", "s1", "reported"));
    assertThat(servers(10)).containsExactly("s1", "s2");
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldKeepServersInUseInAMassFailure(boolean v6) {
    open(v6, 3, web -> web.monitor(Monitor.dsr().build()).watermark(new Watermark(0.5, 1)));
    pass(Duration.ofSeconds(6));
    heard.clear();
    faults.putAll(Map.of(1, Fault.DEAD, 2, Fault.DEAD, 3, Fault.DEAD));
    pass(Duration.ofSeconds(30));
    assertThat(told(Event.MassFailure.class)).containsExactly(new Event.MassFailure("web", 2, 3, true));
    assertThat(servers(30)).as("one is out, two are held").hasSize(2);
    faults.clear();
    pass(Duration.ofSeconds(30));
    assertThat(told(Event.MassFailure.class)).containsExactly(new Event.MassFailure("web", 0, 3, false));
    assertThat(servers(30)).hasSize(3);
  }

  @Test
  void shouldServeNobodyWithoutAWatermarkWhenAllAreDown() {
    open(false, 3, web -> web.monitor(Monitor.dsr().build()));
    faults.putAll(Map.of(1, Fault.DEAD, 2, Fault.DEAD, 3, Fault.DEAD));
    pass(Duration.ofSeconds(30));
    assertThat(lan.process(lan.frame(1).tcp(nextPort++, 80, TcpHeader.SYN))).isEqualTo(Verdict.NO_SERVER);
  }

  /** Clients of a server that answers nobody repeat their SYNs; those of the others go on. No monitor. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldTakeOutByClientsConnectionsWhoAnswersNobody(boolean v6) {
    open(v6, 3, web -> web.observation(Observation.defaults()));
    int seconds = 0;
    while (health(1) != Health.DOWN && seconds < 60) {
      for (int n = 0; n < 6; n++) {
        connect(nextPort++);
      }
      pass(Duration.ofSeconds(1));
      seconds++;
    }
    assertThat(seconds).as("a window").isLessThanOrEqualTo(12);
    List<Event.ServerDown> down = told(Event.ServerDown.class);
    assertThat(down).hasSize(1);
    assertThat(down.get(0).reason()).isEqualTo("no-handshakes");
    assertThat(servers(10)).containsExactly("s2", "s3");
    pass(Duration.ofMillis(5100));
    assertThat(told(Event.ServerUp.class)).containsExactly(new Event.ServerUp("web", "s1", "tried-again"));
    assertThat(servers(10)).contains("s1");
  }

  private void connect(int port) {
    String server = lan.serverOf(lan.frame(1).tcp(port, 80, TcpHeader.SYN).numbers(1, 0));
    if (server.equals("s1")) {
      lan.process(lan.frame(1).tcp(port, 80, TcpHeader.SYN).numbers(1, 0));
    } else {
      lan.process(lan.frame(1).tcp(port, 80, TcpHeader.ACK).numbers(2, 1));
    }
  }

  /** A flood of SYNs from everywhere, in a service whose servers are well. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldNotBeDeceivedByAFlood(boolean v6) {
    open(v6, 3, web -> web.observation(Observation.defaults()));
    faults.put(1, Fault.NONE);
    for (int second = 0; second < 60; second++) {
      for (int n = 0; n < 200; n++) {
        lan.process(lan.frame(2 + n % 200).tcp(1024 + second * 200 + n, 80, TcpHeader.SYN).numbers(1, 0));
        lan.process(lan.frame(2 + n % 200).tcp(1024 + second * 200 + n, 80, TcpHeader.SYN).numbers(1, 0));
      }
      for (int n = 0; n < 6; n++) {
        int port = nextPort++;
        lan.process(lan.frame(1).tcp(port, 80, TcpHeader.SYN).numbers(1, 0)); // a full table may refuse it
        lan.process(lan.frame(1).tcp(port, 80, TcpHeader.ACK).numbers(2, 1));
      }
      pass(Duration.ofSeconds(1));
    }
    assertThat(told(Event.ServerDown.class)).isEmpty();
  }
}
