package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.event.Event;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Probe;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.service.Health;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A balancer with threads of its own, whose servers are probed a thousand times a second. */
@Timeout(60)
class RunningMonitorTest {
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(30);
  private static final int SERVERS = 100;

  private final MemoryPort port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), 1, 1024);
  private final List<Event> heard = new CopyOnWriteArrayList<>();

  private LoadBalancer balancer(Probe probe) {
    Monitor often = Monitor.own(probe).interval(Duration.ofMillis(100)).in(1).out(1).build();
    VirtualServiceBuilder web = Lan.tcp(false).monitor(often);
    for (int n = 1; n <= SERVERS; n++) {
      web.realServer("s" + n, "192.0.2." + (100 + n));
    }
    return LoadBalancer.builder()
        .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24"))
        .neighbor("192.0.2.101", Lan.mac(1))
        .announcements(AnnouncementSettings.off())
        .flowTable(65_536)
        .listener(heard::add)
        .service(web)
        .build();
  }

  private static void await(String what, BooleanSupplier holds) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (!holds.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as(what).isNegative();
      Thread.onSpinWait();
    }
  }

  private static Set<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(Thread::isAlive)
        .map(Thread::getName)
        .filter(name -> name.startsWith("lb4j-"))
        .collect(Collectors.toSet());
  }

  @Test
  void shouldNeverRunProbesWhereFramesOrControlRun() {
    Set<String> names = ConcurrentHashMap.newKeySet();
    AtomicInteger probes = new AtomicInteger();
    LoadBalancer balancer =
        balancer(
            target -> {
              names.add(Thread.currentThread().getName().replaceAll("[0-9]+$", ""));
              probes.incrementAndGet();
              return ProbeResult.answered(1);
            });
    balancer.start();
    int frames = 0;
    while (probes.get() < 1000) {
      ByteBuf frame =
          FrameBuilder.from("198.51.100.1", "192.0.2.100")
              .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
              .tcp(1024 + frames % 60_000, 80, TcpHeader.SYN)
              .padTo(60)
              .build();
      if (port.offer(0, frame, FrameMarks.NONE)) {
        frames++;
      }
      frame.release();
      port.poll(0, (buffer, start, length, marks) -> {});
    }
    assertThat(names).containsExactly("lb4j-probe-");
    assertThat(threads()).contains("lb4j-worker-0", "lb4j-control");
    long offered = frames;
    await(
        "every frame taken",
        () -> {
          port.poll(0, (buffer, start, length, marks) -> {});
          return balancer.statistics().received() == offered;
        });
    balancer.close();
    assertThat(threads()).as("closing ends all threads").isEmpty();
    Statistics end = balancer.statistics();
    assertThat(end.received()).isEqualTo(frames);
    assertThat(end.holds()).isTrue();
    assertThat(end.count(Verdict.FORWARD) + end.count(Verdict.EMBRYONIC_LIMIT)).isPositive();
  }

  @Test
  void shouldReportATransitionAtOnce() {
    AtomicBoolean well = new AtomicBoolean(true);
    LoadBalancer balancer =
        balancer(
            target ->
                well.get() || !target.server().equals("s7")
                    ? ProbeResult.answered(1)
                    : ProbeResult.failed(ProbeReason.WRONG_ANSWER, "read-only"));
    balancer.start();
    await("all servers up", () -> balancer.service("web").realServer("s7").health() == Health.UP);
    well.set(false);
    Event.ServerDown down = new Event.ServerDown("web", "s7", "wrong-answer", "own: read-only");
    await("one down", () -> heard.contains(down));
    assertThat(balancer.service("web").realServer("s7").health()).isEqualTo(Health.DOWN);
    balancer.close();
    assertThat(threads()).isEmpty();
  }
}
