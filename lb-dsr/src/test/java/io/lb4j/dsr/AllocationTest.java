package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.Verdict;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.AllocatedBytes;
import io.lb4j.wire.Ipv4Header;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A million frames, and not a byte on the heap: what the walk of a frame promises. */
class AllocationTest {
  private static final int FRAMES = 1_000_000;
  private static final int WARM_UP = 200_000;

  /** Of each kind, before the first is counted: the compiler shall have seen all kinds when it begins. */
  private static final int REHEARSED = 320;

  /**
   * For all frames together, a fifteenth of a byte each: the compiler may replace code while it runs and then allocates
   * on this thread what it had optimized away. One object per frame would be 16,000,000.
   */
  private static final long TOLERATED = 64 << 10;

  /** Bytes for a new flow: an entry, its key, and its place in Caffeine's order. Measured: 150 to 250. */
  private static final int OF_A_NEW_CLIENT = 400;

  private static final int FLOWS = 128;
  private static final int TABLE = 1 << 14;
  private static final int LOWEST_PORT = 1024;
  private static final long LB_MAC = 0x0200_0000_0005L;
  private static final long ROUTER_MAC = 0x0200_0000_0001L;

  private final FrameBatch batch = new FrameBatch();
  private final FrameOutput output = (link, frame, marks) -> frame.release();
  private final ByteBuf[] frames = new ByteBuf[FrameBatch.CAPACITY];
  private boolean rehearsal;
  private Lan lan;
  private long forwarded;
  private long refused;

  /** Rewrites a frame's flow and flags in place; TCP checksums are not looked at. */
  private interface Filler {
    void fill(ByteBuf frame, int number);
  }

  private void open(boolean v6) {
    open(v6, Lan.withServers(Lan.tcp(v6), v6, 3));
  }

  private void open(boolean v6, VirtualServiceBuilder service) {
    AllocatedBytes.assumeCounted();
    lan = new Lan(v6, b -> b.flowTable(TABLE).service(service));
    fill();
  }

  /** Direct buffers that no leak detector wraps, as its records would be counted. */
  private void fill() {
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
    ByteBuf template = lan.frame(1).tcp(LOWEST_PORT, 80, TcpHeader.SYN).build();
    for (int i = 0; i < frames.length; i++) {
      frames[i] = allocator.directBuffer(128);
      frames[i].writeBytes(template, 0, template.readableBytes());
    }
  }

  @AfterEach
  void close() {
    if (lan != null) {
      lan.close();
      for (ByteBuf frame : frames) {
        frame.release();
      }
    }
  }

  private void segment(ByteBuf frame, int flow, int sequence, int flags) {
    int transport = lan.v6 ? 54 : 34;
    frame.setLong(0, LB_MAC << 16 | ROUTER_MAC >>> 32);
    frame.setInt(8, (int) ROUTER_MAC);
    frame.setShort(transport, LOWEST_PORT + flow);
    frame.setInt(transport + 4, sequence);
    frame.setByte(transport + 13, flags);
  }

  private void known(ByteBuf frame, int number) {
    boolean opening = number < FLOWS;
    segment(frame, number % FLOWS, opening ? 1 : 2, opening ? TcpHeader.SYN : TcpHeader.ACK);
  }

  /** Every flow's frames are a SYN and a FIN by turns, so that each SYN begins a new connection from the same port. */
  private void fresh(ByteBuf frame, int number) {
    boolean opening = number / FLOWS % 2 == 0;
    segment(frame, number % FLOWS, opening ? 1 : 2, opening ? TcpHeader.SYN : TcpHeader.FIN | TcpHeader.ACK);
  }

  private void single(Filler filler, int from, int to) {
    for (int i = from; i < to; i++) {
      ByteBuf frame = frames[i % frames.length];
      filler.fill(frame, i);
      lan.nowNs += 50;
      count(lan.path.process(0, frame, lan.nowNs, output));
    }
  }

  private void batches(Filler filler, int from, int to) {
    for (int i = from; i < to; i += batch.size()) {
      batch.clear();
      for (int j = 0; j < frames.length; j++) {
        filler.fill(frames[j], i + j);
        batch.add(frames[j], 0, frames[j].readableBytes(), FrameMarks.NONE, 0);
      }
      lan.nowNs += 50 * FrameBatch.CAPACITY;
      lan.path.process(batch, lan.nowNs, output);
      for (int j = 0; j < batch.size(); j++) {
        count(batch.get(j).verdict());
      }
    }
  }

  private void count(Verdict verdict) {
    if (verdict == Verdict.FORWARD) {
      forwarded++;
    } else {
      refused++;
    }
  }

  private void assertNothingAllocated(Filler filler) {
    assertNothingAllocated(filler, FRAMES);
  }

  private void assertNothingAllocated(Filler filler, int count) {
    if (rehearsal) {
      rehearse(filler);
      return;
    }
    single(filler, 0, WARM_UP);
    batches(filler, WARM_UP, 2 * WARM_UP);
    int first = 2 * WARM_UP;
    int then = first + count;
    long bySingle = AllocatedBytes.by(() -> single(filler, first, then));
    long byBatches = AllocatedBytes.by(() -> batches(filler, then, then + count));
    assertThat(bySingle).as("bytes for %d single frames", count).isLessThanOrEqualTo(TOLERATED);
    assertThat(byBatches).as("bytes for %d frames in batches", count).isLessThanOrEqualTo(TOLERATED);
  }

  private void rehearse(Filler filler) {
    single(filler, 0, REHEARSED);
    batches(filler, REHEARSED, 2 * REHEARSED);
  }

  private interface Kind {
    void count(AllocationTest test);
  }

  private static void rehearse(Kind kind) {
    AllocationTest test = new AllocationTest();
    test.rehearsal = true;
    try {
      kind.count(test);
    } finally {
      test.close();
    }
  }

  /** Else each kind that comes new ends the code that was compiled for those before, and it is all compiled again. */
  @BeforeAll
  static void showAllKindsToTheCompiler() {
    for (boolean v6 : new boolean[] {false, true}) {
      rehearse(test -> test.frameOfAKnownFlow(v6));
      rehearse(test -> test.newFlow(v6));
      rehearse(test -> test.unknown(v6));
      rehearse(test -> test.newFlowOfAKnownClient(v6));
      rehearse(test -> test.newFlowOfANewClient(v6));
      rehearse(test -> test.malformed(v6));
    }
    disciplines()
        .map(Arguments::get)
        .forEach(given -> rehearse(test -> test.newFlowByEachDiscipline((String) given[0], (boolean) given[1])));
  }

  private long flowsBegun() {
    return lan.balancer.statistics().services().get(0).servers().stream()
        .mapToLong(server -> server.counts().newFlows())
        .sum();
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void frameOfAKnownFlow(boolean v6) {
    open(v6);
    assertNothingAllocated(this::known);
    assertThat(refused).isZero();
    assertThat(flowsBegun()).isEqualTo(FLOWS);
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void newFlow(boolean v6) {
    open(v6);
    assertNothingAllocated(this::fresh);
    assertThat(refused).isZero();
    assertThat(flowsBegun()).isGreaterThan(forwarded * 49 / 100);
  }

  /** To the virtual address, where no service is. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void unknown(boolean v6) {
    open(v6);
    assertNothingAllocated(this::unserved);
    assertThat(forwarded).isZero();
    assertThat(lan.balancer.statistics().count(Verdict.NO_SERVICE)).isEqualTo(refused);
  }

  private void unserved(ByteBuf frame, int number) {
    segment(frame, number % FLOWS, 1, TcpHeader.SYN);
    frame.setShort((lan.v6 ? 54 : 34) + 2, 81);
  }

  /** Clients that persistence remembers: the worker knows the answer, and that the table was told of late. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void newFlowOfAKnownClient(boolean v6) {
    open(v6, Lan.withServers(Lan.tcp(v6).persistence(SourceIpPersistence.timeout(Duration.ofMinutes(5))), v6, 3));
    assertNothingAllocated(this::fresh);
    assertThat(refused).isZero();
    assertThat(flowsBegun()).isGreaterThan(forwarded * 49 / 100);
  }

  /** Each flow is another client's, which persistence has to remember; its reset makes room for the next one. */
  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void newFlowOfANewClient(boolean v6) {
    open(v6, Lan.withServers(Lan.tcp(v6).persistence(SourceIpPersistence.timeout(Duration.ofMinutes(5))), v6, 3));
    assertAllocatedPerFlow(this::stranger, FRAMES / 5, OF_A_NEW_CLIENT);
    assertThat(refused).as("the table is full of ended flows, and few find none near by").isLessThan(forwarded / 100);
    assertThat(flowsBegun()).isGreaterThan(forwarded * 49 / 100);
  }

  private void stranger(ByteBuf frame, int number) {
    boolean opening = number % 2 == 0;
    segment(frame, 0, opening ? 1 : 2, opening ? TcpHeader.SYN : TcpHeader.RST);
    if (lan.v6) {
      frame.setInt(14 + 8 + 12, number / 2);
    } else {
      frame.setInt(14 + 12, 0x0A00_0000 + number / 2);
      Ipv4Header.updateChecksum(frame, 14);
    }
  }

  /** Of flows of two frames. */
  private void assertAllocatedPerFlow(Filler filler, int count, int most) {
    if (rehearsal) {
      rehearse(filler);
      return;
    }
    single(filler, 0, WARM_UP);
    batches(filler, WARM_UP, 2 * WARM_UP);
    long perFlow = AllocatedBytes.by(() -> batches(filler, 2 * WARM_UP, 2 * WARM_UP + count)) / (count / 2);
    assertThat(perFlow).as("bytes for each flow").isBetween(1L, (long) most);
  }

  static Stream<Arguments> disciplines() {
    return Schedulers.names().stream().flatMap(name -> Stream.of(Arguments.of(name, false), Arguments.of(name, true)));
  }

  /** The third server is in slow start where that can be, the first one full where there are limits. */
  @ParameterizedTest(name = "{0}, limits {1}")
  @MethodSource("disciplines")
  void newFlowByEachDiscipline(String discipline, boolean limits) {
    Scheduler scheduler = Schedulers.named(discipline).orElseThrow();
    VirtualServiceBuilder two =
        Lan.tcp(false)
            .scheduler(scheduler)
            .slowStart(Duration.ofHours(scheduler.hashInputs().isEmpty() ? 1 : 0))
            .realServer("s1", Lan.server(false, 1), s -> limits ? s.maxConnections(2) : s)
            .realServer("s2", Lan.server(false, 2), s -> s.weight(3));
    open(false, two);
    lan.balancer.replaceService(two.realServer("s3", Lan.server(false, 3)).build());
    lan.after(Duration.ofMinutes(30).toMillis());
    assertNothingAllocated(this::fresh, FRAMES / 5);
    assertThat(refused).isZero();
    assertThat(flowsBegun()).isGreaterThan(forwarded * 49 / 100);
    if (limits) {
      assertThat(lan.stats("s1").counts().active()).isLessThanOrEqualTo(2);
    }
    if (!scheduler.hashInputs().equals(HashInputs.SOURCE)) { // there is one client
      assertThat(lan.stats("s3").counts().newFlows()).isPositive();
    }
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void malformed(boolean v6) {
    open(v6);
    assertNothingAllocated(this::broken);
    assertThat(forwarded).isZero();
  }

  /** By turns: an IP version that does not match, a length beyond the frame, flags that no TCP sends. */
  private void broken(ByteBuf frame, int number) {
    segment(frame, number % FLOWS, 1, TcpHeader.SYN | TcpHeader.FIN);
    int version = lan.v6 ? 0x60 : 0x45;
    frame.setByte(14, number % 3 == 0 ? 0xF5 : version);
    if (!lan.v6) {
      frame.setShort(16, number % 3 == 1 ? 1500 : 40);
    } else {
      frame.setShort(18, number % 3 == 1 ? 1500 : 20);
    }
  }
}
