package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.service.Role;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The role of a balancer with threads of its own: one worker behind a port, or two in a pipeline. */
@Timeout(60)
class RunningRoleTest {
  private static final int FRAMES = 200;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  private final MemoryPort port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), 1, 1024);
  private LoadBalancer balancer;
  private long forwarded;
  private long announced;

  private void start(boolean v6, int workers, Role role) {
    AnnouncementSettings atOnce =
        AnnouncementSettings.builder()
            .arpProbes(0, Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ZERO)
            .duplicateAddressProbes(0, Duration.ofSeconds(1))
            .announcements(1, Duration.ofSeconds(1))
            .refresh(Duration.ZERO)
            .build();
    balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
            .neighbor(Lan.server(v6, 1), Lan.mac(1))
            .neighbor(Lan.server(v6, 2), Lan.mac(2))
            .announcements(atOnce)
            .flowTable(1024)
            .workers(workers)
            .role(role)
            .service(Lan.withServers(Lan.tcp(v6), v6, 2))
            .build();
    balancer.start();
  }

  @AfterEach
  void close() {
    balancer.close();
    Statistics end = balancer.statistics();
    assertThat(end.holds()).as("received = verdicts + held").isTrue();
    assertThat(end.allSent()).as("forwarded + answered + originated = transmitted + refused").isTrue();
  }

  private void await(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as(what).isNegative();
      take();
      Thread.onSpinWait();
    }
  }

  private void take() {
    while (port.poll(
        0,
        (buffer, start, length, marks) -> {
          boolean toServer = ByteBufUtil.hexDump(buffer, start, 5).equals("0200000000");
          forwarded += toServer ? 1 : 0;
          announced += isAnnouncement(ByteBufUtil.hexDump(buffer, start, length)) ? 1 : 0;
        })) {
      // the next one
    }
  }

  private static boolean isAnnouncement(String frame) {
    boolean arp = frame.startsWith("ffffffffffff") && frame.startsWith("0806", 24);
    return arp || frame.startsWith("333300000001") && frame.startsWith("88", 108);
  }

  private void offer(boolean v6) {
    for (int i = 0; i < FRAMES; i++) {
      ByteBuf frame =
          FrameBuilder.from(v6 ? "2001:db8:c::1" : "198.51.100.1", Lan.vip(v6))
              .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
              .tcp(4000 + i, 80, TcpHeader.SYN)
              .build();
      await("the ring stayed full", () -> port.offer(0, frame, FrameMarks.NONE));
    }
  }

  @ParameterizedTest(name = "IPv6 {0}, {1} workers")
  @CsvSource({"false, 1", "true, 1", "false, 2", "true, 2"})
  void shouldServeOrStandByFromTheNextBurstOn(boolean v6, int workers) {
    start(v6, workers, Role.PASSIVE);
    for (int round = 1; round <= 5; round++) {
      long all = (long) round * FRAMES;
      long before = forwarded;
      offer(v6);
      await("all frames end", () -> balancer.statistics().count(Verdict.PASSIVE) == all);
      assertThat(forwarded).isEqualTo(before);
      balancer.becomeActive();
      offer(v6);
      await("all frames come out", () -> forwarded == before + FRAMES);
      balancer.becomePassive();
    }
  }

  /** No frame comes that could wake a worker. */
  @ParameterizedTest(name = "IPv6 {0}, {1} workers")
  @CsvSource({"false, 1", "true, 1", "false, 2", "true, 2"})
  void shouldAnnounceWithoutAnyTraffic(boolean v6, int workers) {
    start(v6, workers, Role.PASSIVE);
    for (int round = 1; round <= 10; round++) {
      long expected = round;
      balancer.becomeActive();
      await("it is announced", () -> announced == expected);
      balancer.becomePassive();
    }
  }
}
