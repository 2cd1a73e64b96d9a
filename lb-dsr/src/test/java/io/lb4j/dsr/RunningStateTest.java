package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.schedule.Schedulers;
import io.lb4j.state.FlowEntry;
import io.lb4j.state.FlowFilter;
import io.lb4j.state.FlowPage;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** State of a balancer whose own threads run. */
@Timeout(60)
class RunningStateTest {
  private static final int CLIENTS = 60;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  private MemoryPort port;

  private LoadBalancer balancer(boolean v6, int workers) {
    port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), 1, 1024);
    return LoadBalancer.builder()
        .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
        .neighbor(server(v6, 1), Lan.mac(1))
        .neighbor(server(v6, 2), Lan.mac(2))
        .neighbor(server(v6, 3), Lan.mac(3))
        .announcements(AnnouncementSettings.off())
        .flowTable(20_000)
        .workers(workers)
        .service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()), v6, 3))
        .build();
  }

  private static String server(boolean v6, int n) {
    return (v6 ? "2001:db8:5::1" : "192.0.2.1") + n;
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
    long end = System.nanoTime() + PATIENCE_NS;
    while (!port.offer(0, frame, FrameMarks.NONE)) {
      assertThat(System.nanoTime() - end).as("the ring stayed full").isNegative();
      takeAll();
    }
    frame.release();
  }

  private void takeAll() {
    while (port.poll(0, (buffer, start, length, marks) -> {})) {
      Thread.onSpinWait();
    }
  }

  private void awaitReceived(LoadBalancer balancer, long frames) {
    long end = System.nanoTime() + PATIENCE_NS;
    Statistics now = balancer.statistics();
    while (now.received() != frames || now.held() != 0 || !now.holds()) {
      assertThat(System.nanoTime() - end).as("%s", now).isNegative();
      takeAll();
      now = balancer.statistics();
    }
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
}
