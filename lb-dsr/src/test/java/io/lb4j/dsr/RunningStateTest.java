package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.flow.TakeOver;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.port.MemoryPort;
import io.lb4j.schedule.Schedulers;
import io.lb4j.state.FlowEntry;
import io.lb4j.state.FlowFilter;
import io.lb4j.state.FlowPage;
import io.lb4j.state.RestoreReport;
import io.lb4j.state.SaveReport;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** State of a balancer whose own threads run. */
@Timeout(60)
class RunningStateTest {
  private static final int CLIENTS = 60;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  private MemoryPort port;
  private final Map<String, String> servers = new HashMap<>(); // MAC address by client, of the last frame

  private LoadBalancer balancer(boolean v6, int workers) {
    return balancer(v6, workers, 1);
  }

  private LoadBalancer balancer(boolean v6, int workers, int queues) {
    port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), queues, 1024);
    return LoadBalancer.builder()
        .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
        .neighbor(server(v6, 1), Lan.mac(1))
        .neighbor(server(v6, 2), Lan.mac(2))
        .neighbor(server(v6, 3), Lan.mac(3))
        .announcements(AnnouncementSettings.off())
        .flowTable(20_000)
        .workers(workers)
        .service(
            Lan.withServers(
                Lan.tcp(v6).scheduler(Schedulers.roundRobin()).persistence(SourceIpPersistence.create()), v6, 3))
        .build();
  }

  private static String server(boolean v6, int n) {
    return Lan.server(v6, n);
  }

  private static IpAddress client(boolean v6, int n) {
    return IpAddress.of((v6 ? "2001:db8:c::" : "198.51.100.") + n);
  }

  private static ByteBuf segment(boolean v6, int client, int flags) {
    return FrameBuilder.from(client(v6, client).toString(), v6 ? "2001:db8:5::100" : "192.0.2.100")
        .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
        .tcp(4000, 80, flags)
        .numbers(flags == TcpHeader.SYN ? 1 : 2, 9)
        .padTo(60)
        .build();
  }

  private void offer(ByteBuf frame) {
    offer(0, frame);
  }

  private void offer(int queue, ByteBuf frame) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (!port.offer(queue, frame, FrameMarks.NONE)) {
      assertThat(System.nanoTime() - end).as("the ring stayed full").isNegative();
      takeAll();
    }
    frame.release();
  }

  private void takeAll() {
    for (int queue = 0; queue < port.queues(); queue++) {
      while (port.poll(queue, (buffer, start, length, marks) -> note(ByteBufUtil.hexDump(buffer, start, length)))) {
        Thread.onSpinWait();
      }
    }
  }

  private void note(String frame) {
    boolean v6 = frame.startsWith("86dd", 24);
    servers.put(v6 ? frame.substring(44, 76) : frame.substring(52, 60), frame.substring(0, 12));
  }

  private void awaitReceived(LoadBalancer balancer, long frames) {
    long end = System.nanoTime() + PATIENCE_NS;
    Statistics now = balancer.statistics();
    while (!isAtRest(now, frames)) {
      assertThat(System.nanoTime() - end).as("%s", now).isNegative();
      takeAll();
      now = balancer.statistics();
    }
    takeAll();
  }

  private static boolean isAtRest(Statistics now, long frames) {
    return now.received() == frames && now.held() == 0 && now.holds() && now.allSent();
  }

  private void openAll(LoadBalancer balancer, boolean v6) {
    for (int n = 1; n <= CLIENTS; n++) {
      offer(segment(v6, n, TcpHeader.SYN));
    }
    awaitReceived(balancer, CLIENTS);
  }

  private static List<FlowEntry> list(LoadBalancer balancer, FlowFilter filter, int limit) {
    List<FlowEntry> listed = new ArrayList<>();
    for (long position = 0; position >= 0; ) {
      FlowPage page = balancer.flows(filter, position, limit);
      assertThat(page.flows()).hasSizeLessThanOrEqualTo(limit);
      listed.addAll(page.flows());
      position = page.next();
    }
    return listed;
  }

  private static void assertClosed(LoadBalancer balancer) {
    balancer.close();
    assertThat(balancer.statistics().holds()).as("received = verdicts").isTrue();
  }

  @ParameterizedTest
  @CsvSource({"false, 1, 7", "true, 1, 1000", "false, 3, 7", "true, 3, 1000", "false, 3, 1"})
  void shouldListTheFlowsOfAllWorkersPageByPageWhileTheyWork(boolean v6, int workers, int limit) {
    LoadBalancer balancer = balancer(v6, workers);
    balancer.start();
    openAll(balancer, v6);
    List<FlowEntry> listed = list(balancer, FlowFilter.all(), limit);
    assertThat(listed.stream().map(FlowEntry::source).toList())
        .containsExactlyInAnyOrderElementsOf(IntStream.rangeClosed(1, CLIENTS).mapToObj(n -> client(v6, n)).toList());
    assertThat(listed.stream().map(FlowEntry::worker).distinct()).hasSize(workers);
    Set<String> servers = listed.stream().map(FlowEntry::server).collect(Collectors.toCollection(TreeSet::new));
    assertThat(servers).containsExactly("s1", "s2", "s3");
    assertClosed(balancer);
    assertThat(list(balancer, FlowFilter.all(), limit)).as("by the caller itself").hasSize(CLIENTS);
  }

  @ParameterizedTest
  @CsvSource({"false, 1", "true, 1", "false, 3", "true, 3"})
  void shouldEndFlowsOfAllWorkersWhileTheyWork(boolean v6, int workers) {
    LoadBalancer balancer = balancer(v6, workers);
    balancer.start();
    openAll(balancer, v6);
    IpPrefix sixteen = IpPrefix.of(client(v6, 16), v6 ? 124 : 28);
    int meant = v6 ? 10 : 16; // the addresses are written in decimals
    assertThat(balancer.endFlows(FlowFilter.all().client(sixteen))).isEqualTo(meant);
    for (int n = 1; n <= CLIENTS; n++) {
      offer(segment(v6, n, TcpHeader.ACK));
    }
    awaitReceived(balancer, 2 * CLIENTS);
    assertThat(balancer.statistics().count(Verdict.TCP_NOT_SYN)).isEqualTo(meant);
    assertThat(list(balancer, FlowFilter.all().service("web"), 50)).hasSize(CLIENTS - meant);
    assertThat(balancer.endAllFlows()).isEqualTo(CLIENTS - meant);
    assertThat(balancer.statistics().flowTable().size()).isZero();
    assertClosed(balancer);
  }

  // ---- saved and taken over ----------------------------------------------------------------------------------------

  private void establishAll(LoadBalancer balancer, boolean v6) {
    openAll(balancer, v6);
    acknowledgeAll(balancer, v6, CLIENTS);
  }

  /** Answers the servers' MAC addresses. */
  private Map<String, String> acknowledgeAll(LoadBalancer balancer, boolean v6, long receivedBefore) {
    servers.clear();
    for (int n = 1; n <= CLIENTS; n++) {
      offer(segment(v6, n, TcpHeader.ACK));
    }
    awaitReceived(balancer, receivedBefore + CLIENTS);
    return Map.copyOf(servers);
  }

  private static byte[] save(LoadBalancer balancer) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      SaveReport report = balancer.saveState(out);
      assertThat(report).isEqualTo(new SaveReport(CLIENTS, CLIENTS));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static RestoreReport restore(LoadBalancer balancer, byte[] saved) {
    try {
      return balancer.restoreState(new ByteArrayInputStream(saved));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Seeds are secret and differ, so that another worker has each flow. */
  @ParameterizedTest
  @CsvSource({
    "false, 1, 3, false", "true, 3, 1, false", "false, 3, 2, true", "true, 2, 3, true", "false, 3, 3, false"
  })
  void shouldCarryConnectionsToABalancerWithOtherWorkers(boolean v6, int workers, int others, boolean started) {
    LoadBalancer first = balancer(v6, workers);
    first.start();
    establishAll(first, v6);
    Map<String, String> before = acknowledgeAll(first, v6, 2 * CLIENTS);
    byte[] saved = save(first);
    assertClosed(first);
    LoadBalancer second = balancer(v6, others);
    if (started) {
      second.start();
    }
    RestoreReport report = restore(second, saved);
    assertThat(report.flows()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, (long) CLIENTS));
    assertThat(report.clients()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, (long) CLIENTS));
    if (!started) {
      second.start();
    }
    assertThat(acknowledgeAll(second, v6, 0)).hasSize(CLIENTS).isEqualTo(before);
    assertThat(second.statistics().count(Verdict.FORWARD)).isEqualTo(CLIENTS);
    assertClosed(second);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSaveAfterItWasClosedAllThatItKnew(boolean v6) {
    LoadBalancer first = balancer(v6, 3);
    first.start();
    establishAll(first, v6);
    assertClosed(first);
    LoadBalancer second = balancer(v6, 2);
    assertThat(restore(second, save(first)).flowsRestored()).isEqualTo(CLIENTS);
    second.close();
  }

  /** Where the ports spread frames, nobody else knows how: a flow goes to the worker that had it. */
  @ParameterizedTest
  @CsvSource({"false, 2", "true, 2", "false, 3", "true, 3"})
  void shouldGiveFlowsBackToTheirWorkersWhereThePortsSpreadFrames(boolean v6, int queues) {
    LoadBalancer first = balancer(v6, 2, 2);
    first.start();
    for (int n = 1; n <= CLIENTS; n++) {
      offer(n % 2, segment(v6, n, TcpHeader.SYN));
    }
    awaitReceived(first, CLIENTS);
    byte[] saved = save(first);
    assertClosed(first);
    LoadBalancer second = balancer(v6, queues, queues);
    RestoreReport report = restore(second, saved);
    if (queues == 2) {
      second.start();
      for (int n = 1; n <= CLIENTS; n++) {
        offer(n % 2, segment(v6, n, TcpHeader.ACK));
      }
      awaitReceived(second, CLIENTS);
      assertThat(second.statistics().count(Verdict.FORWARD)).isEqualTo(CLIENTS);
    } else {
      assertThat(report.flows()).isEqualTo(Map.of(TakeOver.OTHER_WORKER, (long) CLIENTS));
    }
    assertThat(report.clientsRestored()).isEqualTo(CLIENTS);
    assertClosed(second);
  }

  /** Frames find their way while a table is listed, saved and searched again and again. */
  @ParameterizedTest
  @CsvSource({"false, 1", "true, 3"})
  void shouldLoseNoFrameWhileItIsSaved(boolean v6, int workers) throws InterruptedException {
    LoadBalancer balancer = balancer(v6, workers);
    balancer.start();
    establishAll(balancer, v6);
    AtomicBoolean saving = new AtomicBoolean(true);
    AtomicInteger saves = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread operator =
        new Thread(
            () -> {
              try {
                while (saving.get()) {
                  save(balancer);
                  assertThat(list(balancer, FlowFilter.all(), 17)).hasSize(CLIENTS);
                  assertThat(balancer.endFlows(FlowFilter.all().destinationPort(81))).isZero();
                  saves.incrementAndGet();
                }
              } catch (Throwable e) {
                failure.set(e);
              }
            });
    operator.start();
    long received = 2 * CLIENTS;
    for (int round = 0; round < 30 || saves.get() < 3; round++) {
      assertThat(acknowledgeAll(balancer, v6, received)).hasSize(CLIENTS);
      received += CLIENTS;
      assertThat(failure.get()).isNull();
    }
    saving.set(false);
    operator.join();
    assertThat(failure.get()).isNull();
    assertThat(balancer.statistics().count(Verdict.FORWARD)).isEqualTo(received);
    assertClosed(balancer);
  }
}
