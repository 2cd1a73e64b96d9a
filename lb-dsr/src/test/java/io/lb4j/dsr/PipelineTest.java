package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.Statistics;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.port.MemoryPort;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several workers over a port of one queue: receiver, workers and transmitter with rings between them. */
@Timeout(120)
@Tag("memory")
class PipelineTest {
  private static final int CLIENTS = 50;
  private static final int SEGMENTS = 10;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
  private final List<String> sent = new ArrayList<>();
  private MemoryPort port;

  private LoadBalancer start(boolean v6, int workers, int queue) {
    return start(v6, workers, queue, 1);
  }

  private LoadBalancer start(boolean v6, int workers, int queue, int portQueues) {
    port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), portQueues, 1024);
    LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
            .neighbor(server(v6, 1), Lan.mac(1))
            .neighbor(server(v6, 2), Lan.mac(2))
            .neighbor(server(v6, 3), Lan.mac(3))
            .announcements(AnnouncementSettings.off())
            .flowTable(65_536)
            .seed(7)
            .workers(workers)
            .workerQueue(queue)
            .allocator(allocator)
            .service(Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.sourceHash()).adoptsConnections(false), v6, 3))
            .service(
                Lan.withServers(
                    VirtualService.udp(vip(v6), 53)
                        .named("dns")
                        .forwarding(DirectServerReturn.create())
                        .scheduler(Schedulers.sourceHash()),
                    v6,
                    3))
            .build();
    balancer.start();
    return balancer;
  }

  private static String server(boolean v6, int n) {
    return Lan.server(v6, n);
  }

  private static String vip(boolean v6) {
    return v6 ? "2001:db8:5::100" : "192.0.2.100";
  }

  private static String client(boolean v6, int n) {
    return (v6 ? "2001:db8:c::" : "198.51.100.") + (n + 1);
  }

  private static FrameBuilder frame(boolean v6, int client) {
    return FrameBuilder.from(client(v6, client), vip(v6)).macs(Lan.LB_MAC, Lan.ROUTER_MAC).padTo(60);
  }

  private static ByteBuf segment(boolean v6, int client, int n) {
    return frame(v6, client).tcp(4000, 80, n == 0 ? TcpHeader.SYN : TcpHeader.ACK).numbers(1 + n, 9).build();
  }

  /** The other end of the wire: takes what comes while it waits for room. */
  private void offer(ByteBuf frame) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (!port.offer(0, frame, FrameMarks.NONE)) {
      assertThat(System.nanoTime() - end).as("the ring stayed full").isNegative();
      takeAll();
      Thread.onSpinWait();
    }
    frame.release();
  }

  private void takeAll() {
    while (port.poll(0, (buffer, start, length, marks) -> sent.add(hex(buffer, start, length)))) {
      Thread.onSpinWait();
    }
  }

  private static String hex(ByteBuf buffer, int start, int length) {
    byte[] bytes = new byte[length];
    buffer.getBytes(start, bytes); // at once: leak detection records every access
    return ByteBufUtil.hexDump(bytes);
  }

  private void awaitReceived(LoadBalancer balancer, long frames) {
    long end = System.nanoTime() + PATIENCE_NS;
    while (!isAtRest(balancer.statistics(), frames)) {
      assertThat(System.nanoTime() - end).as("%s", balancer.statistics()).isNegative();
      takeAll();
      Thread.onSpinWait();
    }
    takeAll();
  }

  private static boolean isAtRest(Statistics now, long frames) {
    return now.received() == frames && now.held() == 0 && now.holds() && now.allSent();
  }

  private Statistics close(LoadBalancer balancer) {
    balancer.close();
    Statistics end = balancer.statistics();
    assertThat(end.held()).isZero();
    assertThat(end.holds()).as("received = verdicts").isTrue();
    assertThat(end.allSent()).as("forwarded + answered + originated = transmitted + refused").isTrue();
    assertThat(allocator.metric().usedDirectMemory()).as("memory not given back").isZero();
    assertThat(allocator.metric().usedHeapMemory()).isZero();
    return end;
  }

  private static List<ByteBuf> traffic(boolean v6) {
    List<ByteBuf> frames = new ArrayList<>();
    for (int n = 0; n < SEGMENTS; n++) {
      for (int client = 0; client < CLIENTS; client++) {
        frames.add(segment(v6, client, n));
      }
    }
    return frames;
  }

  private List<String> run(boolean v6, int workers, List<ByteBuf> frames) {
    sent.clear();
    LoadBalancer balancer = start(v6, workers, 1024);
    frames.forEach(this::offer);
    awaitReceived(balancer, frames.size());
    close(balancer);
    return List.copyOf(sent);
  }

  private static Map<String, List<String>> byFlow(List<String> frames, boolean v6) {
    Map<String, List<String>> flows = new HashMap<>();
    int source = (v6 ? 14 + 8 : 14 + 12) * 2;
    for (String frame : frames) {
      String client = frame.substring(source, source + (v6 ? 32 : 8));
      flows.computeIfAbsent(client, key -> new ArrayList<>()).add(frame);
    }
    return flows;
  }

  /** One worker, too, has receivers before it then. */
  @ParameterizedTest
  @CsvSource({"false, 1", "true, 1", "false, 2", "true, 2"})
  void shouldServeEveryQueueOfAPortThatHasMoreThanThereAreWorkers(boolean v6, int workers) {
    int queues = 3;
    LoadBalancer balancer = start(v6, workers, 1024, queues);
    List<ByteBuf> frames = traffic(v6);
    for (int i = 0; i < frames.size(); i++) {
      long end = System.nanoTime() + PATIENCE_NS;
      while (!port.offer(i % CLIENTS % queues, frames.get(i), FrameMarks.NONE)) {
        assertThat(System.nanoTime() - end).as("the ring stayed full").isNegative();
        takeAllQueues(queues);
      }
      frames.get(i).release();
    }
    long end = System.nanoTime() + PATIENCE_NS;
    while (!isAtRest(balancer.statistics(), frames.size()) && System.nanoTime() - end < 0) {
      takeAllQueues(queues);
    }
    takeAllQueues(queues);
    assertThat(close(balancer).count(Verdict.FORWARD)).isEqualTo(frames.size());
    assertThat(sent).hasSize(frames.size());
  }

  private void takeAllQueues(int queues) {
    for (int queue = 0; queue < queues; queue++) {
      while (port.poll(queue, (buffer, start, length, marks) -> sent.add(hex(buffer, start, length)))) {
        Thread.onSpinWait();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false, 2", "true, 2", "false, 3", "true, 3"})
  void shouldSendWhatOneWorkerSendsAndKeepTheOrderOfEveryFlow(boolean v6, int workers) {
    Map<String, List<String>> one = byFlow(run(v6, 1, traffic(v6)), v6);
    Map<String, List<String>> several = byFlow(run(v6, workers, traffic(v6)), v6);
    assertThat(several).hasSize(CLIENTS).isEqualTo(one);
  }

  @ParameterizedTest
  @CsvSource({"false, 2", "true, 2", "false, 3", "true, 3"})
  void shouldSendTheFragmentsOfADatagramToOneServerInWhateverOrderTheyCome(boolean v6, int workers) {
    List<ByteBuf> fragments = new ArrayList<>();
    for (int client = 0; client < CLIENTS; client++) {
      fragments.add(frame(v6, client).udp(5000, 53).payload(new byte[64]).fragment(client, 0, true).build());
      fragments.add(frame(v6, client).udp(5000, 53).payload(new byte[72]).fragment(client, 72, true).build());
      fragments.add(frame(v6, client).udp(5000, 53).payload(new byte[10]).fragment(client, 144, false).build());
    }
    Collections.shuffle(fragments, new Random(11));
    List<ByteBuf> again = fragments.stream().map(ByteBuf::copy).toList();
    List<String> one = run(v6, 1, fragments);
    assertThat(one).hasSize(3 * CLIENTS);
    assertThat(run(v6, workers, again)).containsExactlyInAnyOrderElementsOf(one);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDropWhatFindsNoRoomWithAVerdictOfItsOwn(boolean v6) {
    LoadBalancer balancer = start(v6, 2, 32);
    long offered = 0;
    long end = System.nanoTime() + PATIENCE_NS;
    ByteBuf frame = segment(v6, 1, 1);
    while (balancer.statistics().count(Verdict.WORKER_QUEUE_FULL) == 0) {
      assertThat(System.nanoTime() - end).isNegative();
      for (int n = 0; n < 512; n++) {
        offered += port.offer(0, frame, FrameMarks.NONE) ? 1 : 0;
      }
    }
    frame.release();
    awaitReceived(balancer, offered);
    Statistics statistics = close(balancer);
    assertThat(statistics.count(Verdict.WORKER_QUEUE_FULL) + statistics.count(Verdict.TCP_NOT_SYN)).isEqualTo(offered);
  }

  @Test
  void shouldCarryFramesLongerThanTheMtuInMemoryOfTheirOwn() {
    LoadBalancer balancer = start(false, 2, 64);
    long marks = FrameMarks.withGso(FrameMarks.NONE, 1, 1400);
    for (int n = 0; n < 400; n++) {
      ByteBuf frame = frame(false, n % CLIENTS).tcp(4000, 80, TcpHeader.SYN).payload(new byte[30_000]).build();
      while (!port.offer(0, frame, marks)) {
        Thread.onSpinWait();
      }
      frame.release();
    }
    awaitReceived(balancer, 400);
    Statistics end = close(balancer);
    assertThat(end.count(Verdict.FORWARD) + end.count(Verdict.WORKER_QUEUE_FULL)).isEqualTo(400);
    assertThat(end.count(Verdict.FORWARD)).isPositive();
  }

  @ParameterizedTest
  @CsvSource({"false, 2", "true, 3"})
  void shouldResolveAServerThatAnyWorkerAsksForAndSendWhatWaited(boolean v6, int workers) {
    port = new MemoryPort("eth0", MacAddress.of(Lan.LB_MAC), 1, 1024);
    LoadBalancer balancer =
        LoadBalancer.builder()
            .networkInterface("eth0", i -> i.port(port).mac(Lan.LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64"))
            .announcements(AnnouncementSettings.off())
            .flowTable(1024)
            .workers(workers)
            .allocator(allocator)
            .service(Lan.withServers(Lan.tcp(v6), v6, 1))
            .build();
    balancer.start();
    for (int client = 0; client < 4; client++) {
      offer(segment(v6, client, 0));
    }
    long end = System.nanoTime() + PATIENCE_NS;
    Statistics waiting = balancer.statistics();
    while (waiting.held() + waiting.count(Verdict.FORWARD) < 4) {
      assertThat(System.nanoTime() - end).as("%s", waiting).isNegative();
      takeAll();
      Thread.onSpinWait();
      waiting = balancer.statistics();
    }
    close(balancer);
  }

  @ParameterizedTest
  @CsvSource({"false, 2", "true, 3"})
  void shouldMoveNoFlowWhileServicesChange(boolean v6, int workers) throws InterruptedException {
    LoadBalancer balancer = start(v6, workers, 1024);
    AtomicBoolean changing = new AtomicBoolean(true);
    Thread operator =
        new Thread(
            () -> {
              for (int round = 0; round < 200; round++) {
                balancer.service("web").realServer("s" + (1 + round % 3)).weight(1 + round % 5);
                balancer.service("dns").realServer("s1").drain();
                balancer.service("dns").realServer("s1").online();
              }
              changing.set(false);
            });
    for (int client = 0; client < CLIENTS; client++) {
      offer(segment(v6, client, 0));
    }
    awaitReceived(balancer, CLIENTS);
    operator.start();
    long frames = CLIENTS;
    while (changing.get()) {
      for (int client = 0; client < CLIENTS; client++) {
        offer(segment(v6, client, 1));
        frames++;
      }
      awaitReceived(balancer, frames);
    }
    operator.join();
    Statistics end = close(balancer);
    assertThat(end.count(Verdict.FORWARD)).isEqualTo(frames);
    for (List<String> flow : byFlow(sent, v6).values()) {
      assertThat(flow.stream().map(frame -> frame.substring(0, 12)).distinct()).hasSize(1);
    }
  }

  @ParameterizedTest
  @CsvSource({"false, 2", "true, 3"})
  void shouldGiveBackAllMemoryWhenClosedUnderLoad(boolean v6, int workers) throws InterruptedException {
    for (int round = 0; round < 5; round++) {
      LoadBalancer balancer = start(v6, workers, 64);
      AtomicBoolean loading = new AtomicBoolean(true);
      MemoryPort loaded = port;
      Thread load =
          new Thread(
              () -> {
                for (int n = 0; loading.get(); n++) {
                  ByteBuf frame = segment(v6, n % CLIENTS, n / CLIENTS);
                  loaded.offer(0, frame, FrameMarks.NONE);
                  frame.release();
                }
              });
      load.start();
      while (balancer.statistics().received() < 1_000) {
        takeAll();
      }
      loading.set(false);
      load.join(); // the port is closed with the balancer, and its network side must be quiet by then
      close(balancer);
    }
  }
}
