package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.dataplane.WaitStrategies;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What threads do while nothing waits for them: each way to wait, in each way to run. */
@Timeout(120)
class WaitStrategyTest {
  private static final int FRAMES = 1_000;
  private static final int ON_THEIR_WAY = 100; // fewer than the port's rings hold
  private static final int WAKE_UPS = 20;
  private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  /** Who sleeps through a frame sees it only when its longest sleep is over, which is four times this. */
  private static final long AWAKE_WITHIN_NS = TimeUnit.MILLISECONDS.toNanos(5);

  private static final long ENDS_WITHIN_NS = TimeUnit.SECONDS.toNanos(3);
  private static final long REST_NS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final double MOST_OF_A_PROCESSOR = 0.3; // for each thread; who never sleeps takes all that it can get

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
  private final ThreadsOfABalancer threads = new ThreadsOfABalancer();
  private LoadBalancer balancer;
  private MemoryPort port;
  private long out;

  /** The ways to run: how many interfaces, queues of the first one, and workers. */
  private enum Way {
    TO_COMPLETION(1, 1, 1),
    TO_COMPLETION_OVER_TWO_PORTS(2, 1, 1),
    TO_COMPLETION_BY_TWO(1, 2, 2),
    PIPELINED(1, 1, 2);

    private final int interfaces;
    private final int queues;
    private final int workers;

    Way(int interfaces, int queues, int workers) {
      this.interfaces = interfaces;
      this.queues = queues;
      this.workers = workers;
    }
  }

  private static Stream<Arguments> everyWay() {
    WaitStrategies mixed = new WaitStrategies(WaitStrategy.YIELD, WaitStrategy.SPIN, WaitStrategy.PARK);
    return Stream.of(Way.values())
        .flatMap(
            way ->
                Stream.concat(
                    Arrays.stream(WaitStrategy.values()).map(strategy -> Arguments.of(way, WaitStrategies.all(strategy))),
                    Stream.of(Arguments.of(way, mixed))));
  }

  private void start(Way way, WaitStrategies waiting) {
    port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), way.queues, 256);
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
            .neighbor(Lan.server(false, 1), Lan.mac(1))
            .neighbor(Lan.server(true, 1), Lan.mac(1))
            .announcements(AnnouncementSettings.off())
            .flowTable(4096)
            .seed(7)
            .workers(way.workers)
            .waitStrategy(waiting)
            .allocator(allocator)
            .service(Lan.withServers(Lan.tcp(false), false, 1))
            .service(Lan.withServers(Lan.tcp(true).named("web6"), true, 1));
    for (int i = 1; i < way.interfaces; i++) {
      MacAddress mac = MacAddress.of(Lan.mac(9));
      builder.networkInterface(
          "eth1", next -> next.port(new MemoryPort("eth1", mac, way.queues, 16)).address("203.0.113.5/24"));
    }
    balancer = builder.build();
    balancer.start();
  }

  /** However a test ends: threads that spin would slow down all others. */
  @AfterEach
  void close() {
    balancer.close();
  }

  private static ByteBuf segment(int n) {
    boolean v6 = n % 2 == 1;
    return FrameBuilder.from((v6 ? "2001:db8:c::" : "198.51.100.") + (1 + n % 200), Lan.vip(v6))
        .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
        .tcp(4000 + n % 7, 80, TcpHeader.SYN)
        .padTo(60)
        .build();
  }

  private void offer(ByteBuf frame, int queue) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (!port.offer(queue, frame, FrameMarks.NONE)) {
      assertThat(System.nanoTime() - end).as("the ring stayed full").isNegative();
      takeAll();
      Thread.yield();
    }
    frame.release();
  }

  private void takeAll() {
    for (int queue = 0; queue < port.queues(); queue++) {
      while (port.poll(queue, (buffer, start, length, marks) -> out++)) {
        Thread.onSpinWait();
      }
    }
  }

  private void awaitOut(long frames) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (out < frames) {
      assertThat(System.nanoTime() - end).as("%s of %s frames came", out, frames).isNegative();
      takeAll();
      Thread.yield();
    }
  }

  private static void pause(long timeNs) {
    long end = System.nanoTime() + timeNs;
    for (long left = timeNs; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everyWay")
  void shouldPassFramesWakeUpAndEnd(Way way, WaitStrategies waiting) {
    start(way, waiting);
    for (int n = 0; n < FRAMES; n++) {
      awaitOut(n - ON_THEIR_WAY);
      offer(segment(n), n % way.queues);
    }
    awaitOut(FRAMES);
    assertThat(quickestAwakening(way)).as("nanoseconds to a frame after a pause").isLessThan(awakeWithinNs(waiting));
    long begin = System.nanoTime();
    balancer.close();
    assertThat(System.nanoTime() - begin).as("nanoseconds to the end").isLessThan(ENDS_WITHIN_NS);
    assertThat(threads.own()).as("threads that are left").isEmpty();
    assertCountedAll(balancer.statistics());
  }

  /** Who sleeps is woken. Others have nobody to wake them, and run when there is a processor for them. */
  private static long awakeWithinNs(WaitStrategies waiting) {
    return waiting.equals(WaitStrategies.PARK) ? AWAKE_WITHIN_NS : PATIENCE_NS;
  }

  private long quickestAwakening(Way way) {
    long quickest = Long.MAX_VALUE;
    for (int n = 0; n < WAKE_UPS; n++) {
      pause(PAUSE_NS);
      ByteBuf frame = segment(n);
      long begin = System.nanoTime();
      offer(frame, n % way.queues);
      awaitOut(FRAMES + n + 1);
      quickest = Math.min(quickest, System.nanoTime() - begin);
    }
    return quickest;
  }

  private void assertCountedAll(Statistics end) {
    assertThat(end.received()).isEqualTo(FRAMES + WAKE_UPS);
    assertThat(end.count(Verdict.FORWARD)).isEqualTo(FRAMES + WAKE_UPS);
    assertThat(end.holds()).as("received = verdicts").isTrue();
    assertThat(end.held()).isZero();
    assertThat(end.allSent()).as("forwarded + answered + originated = transmitted + refused").isTrue();
    assertThat(allocator.metric().usedDirectMemory()).as("memory not given back").isZero();
  }

  @ParameterizedTest
  @EnumSource
  void shouldLeaveTheProcessorAloneWhileItParks(Way way) {
    Assumptions.assumeTrue(ThreadsOfABalancer.haveTimes(), "this JVM does not tell the processor time of threads");
    start(way, WaitStrategies.PARK);
    offer(segment(0), 0);
    awaitOut(1);
    int count = threads.own().size();
    assertThat(count).isEqualTo(way == Way.PIPELINED ? way.workers + 2 : way.workers);
    pause(PAUSE_NS);
    long begin = System.nanoTime();
    long before = threads.processorNs();
    pause(REST_NS);
    double used = (double) (threads.processorNs() - before) / (System.nanoTime() - begin) / count;
    assertThat(used).as("of a processor, for each thread").isLessThan(MOST_OF_A_PROCESSOR);
  }

  /** Threads that carry frames and were not there before the test. */
  private static final class ThreadsOfABalancer {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final Set<Long> others = present().stream().map(ThreadInfo::getThreadId).collect(Collectors.toSet());

    static boolean haveTimes() {
      return THREADS.isThreadCpuTimeSupported() && THREADS.isThreadCpuTimeEnabled();
    }

    List<ThreadInfo> own() {
      return present().stream().filter(thread -> !others.contains(thread.getThreadId())).toList();
    }

    private static List<ThreadInfo> present() {
      return Arrays.stream(THREADS.getThreadInfo(THREADS.getAllThreadIds()))
          .filter(Objects::nonNull)
          .filter(thread -> thread.getThreadName().matches("lb4j-(worker|receive|transmit).*"))
          .toList();
    }

    long processorNs() {
      return own().stream().mapToLong(thread -> THREADS.getThreadCpuTime(thread.getThreadId())).sum();
    }
  }
}
