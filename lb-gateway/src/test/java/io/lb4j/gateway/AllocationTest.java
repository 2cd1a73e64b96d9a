package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.AllocatedBytes;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A million frames through the translator, both ways, on two arms and on one, and not a byte on the heap. */
class AllocationTest {
  private static final int FRAMES = 1_000_000;
  private static final int WARM_UP = 200_000;
  private static final int MOST_ROUNDS = 6;

  /** Of each kind, before the first is counted: the compiler shall have seen all kinds when it begins. */
  private static final int REHEARSED = 640;

  /** For all frames together: the compiler may replace code while it runs. One object per frame would be 16,000,000. */
  private static final long TOLERATED = 64 << 10;

  private static final int OUTSIDE = 0;
  private static final int INSIDE = 1;
  private static final String[] MACS = {"02:00:00:00:00:04", "02:00:00:00:00:05"};

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
  private final FrameBatch batch = new FrameBatch();
  private final FrameOutput output = (link, frame, marks) -> frame.release();
  private final List<Template> templates = new ArrayList<>();
  private final ByteBuf[] frames = new ByteBuf[FrameBatch.CAPACITY];
  private boolean rehearsal;
  private LoadBalancer balancer;
  private DataPath path;
  private boolean v6;
  private boolean singleArm;
  private boolean resetOnIdle;
  private long nowNs = 1_000_000_000L;
  private long refused;

  /** Both families on two arms, then on one. */
  @Retention(RetentionPolicy.RUNTIME)
  @ParameterizedTest(name = "IPv6 {0}, single arm {1}")
  @CsvSource({"false,false", "true,false", "false,true", "true,true"})
  private @interface EveryFamilyAndArm {}

  private record Template(long[] words, int length) {}

  /** One interface with both addresses, or two. */
  private LoadBalancerBuilder interfaces() {
    if (singleArm) {
      return LoadBalancer.builder()
          .networkInterface(
              "eth0",
              i ->
                  i.mac(MACS[OUTSIDE])
                      .address("198.51.100.5/24", "2001:db8:c::5/64", "192.0.2.5/24", "2001:db8:5::5/64")
                      .hostStack(false));
    }
    return LoadBalancer.builder()
        .networkInterface(
            "eth0", i -> i.mac(MACS[OUTSIDE]).address("198.51.100.5/24", "2001:db8:c::5/64").hostStack(false))
        .networkInterface(
            "eth1", i -> i.mac(MACS[INSIDE]).address("192.0.2.5/24", "2001:db8:5::5/64").hostStack(false));
  }

  private void open(boolean family, boolean single) {
    AllocatedBytes.assumeCounted();
    v6 = family;
    singleArm = single;
    balancer =
        interfaces()
            .neighbor(client(), "02:00:00:00:00:10")
            .neighbor(server(), "02:00:00:00:00:11")
            .service(
                VirtualService.tcp(vip(), 80)
                    .named("web")
                    .forwarding(Gateway.create())
                    .resetOnIdle(resetOnIdle)
                    .realServer("s1", server(), s -> s.port(8080)))
            .outbound(
                Outbound.builder()
                    .nat("192.0.2.0/24", "198.51.100.60")
                    .nat("2001:db8:5::/64", "2001:db8:c::60")
                    .build())
            .announcements(AnnouncementSettings.off())
            .flowTable(1024)
            .seed(7)
            .clock(() -> nowNs)
            .build();
    path = balancer.dataPath();
    for (int i = 0; i < frames.length; i++) {
      frames[i] = allocator.directBuffer(128);
    }
  }

  private String client() {
    return v6 ? "2001:db8:c::10" : "198.51.100.10";
  }

  private String server() {
    return v6 ? "2001:db8:5::11" : "192.0.2.11";
  }

  private String vip() {
    return v6 ? "2001:db8:c::100" : "198.51.100.100";
  }

  private String external() {
    return v6 ? "2001:db8:c::60" : "198.51.100.60";
  }

  private static Template request(FrameBuilder frame) {
    return template(frame.macs(MACS[OUTSIDE], "02:00:00:00:00:10").build());
  }

  private Template fromInside(FrameBuilder frame) {
    return template(frame.macs(MACS[singleArm ? OUTSIDE : INSIDE], "02:00:00:00:00:11").build());
  }

  /** Eight bytes at a time: what copies between buffers allocates. */
  private static Template template(ByteBuf built) {
    int length = built.readableBytes();
    built.writeZero(8);
    long[] words = new long[(length + 7) / 8];
    for (int i = 0; i < words.length; i++) {
      words[i] = built.getLong(8 * i);
    }
    built.release();
    return new Template(words, length);
  }

  /** Templates in pairs: the first of each comes from outside, the second from inside. */
  private void serviceTraffic(int port, int flags, int replyFlags, int sequence) {
    templates.add(
        request(FrameBuilder.from(client(), vip()).tcp(port, 80, flags).numbers(sequence, 501)));
    templates.add(
        fromInside(
            FrameBuilder.from(server(), client()).tcp(8080, port, replyFlags).numbers(sequence + 400, 101)));
  }

  private void outboundTraffic(int port) {
    templates.add(request(FrameBuilder.from(client(), external()).udp(53, port).payload(new byte[20])));
    templates.add(fromInside(FrameBuilder.from(server(), client()).udp(port, 53).payload(new byte[20])));
  }

  @AfterEach
  void close() {
    if (balancer != null) {
      path.close();
      assertThat(balancer.statistics().holds()).isTrue();
      balancer.close();
      for (ByteBuf frame : frames) {
        frame.release();
      }
    }
  }

  private void fill(ByteBuf frame, int number) {
    Template template = templates.get(number % templates.size());
    for (int i = 0; i < template.words.length; i++) {
      frame.setLong(8 * i, template.words[i]);
    }
    frame.setIndex(0, template.length);
  }

  private void send(int from, int to) {
    for (int i = from; i < to; i += frames.length) {
      batch.clear();
      for (int j = 0; j < frames.length; j++) {
        fill(frames[j], i + j);
        batch.add(frames[j], 0, frames[j].readableBytes(), FrameMarks.NONE, link(i + j));
      }
      nowNs += 50 * FrameBatch.CAPACITY;
      path.process(batch, nowNs, output);
      for (int j = 0; j < batch.size(); j++) {
        refused += batch.get(j).verdict() == Verdict.FORWARD ? 0 : 1;
      }
    }
  }

  private int link(int number) {
    return singleArm ? OUTSIDE : number & 1;
  }

  private void single(int number) {
    fill(frames[0], number);
    path.process(link(number), frames[0], nowNs, output);
  }

  /** The steady state is reached when the compiler has seen enough, which takes longer on a busy machine. */
  private void assertNothingAllocated(boolean forwards) {
    if (rehearsal) {
      send(0, REHEARSED);
      return;
    }
    send(0, WARM_UP);
    refused = 0;
    long allocated = Long.MAX_VALUE;
    int rounds = 0;
    while (rounds < MOST_ROUNDS && allocated > TOLERATED) {
      allocated = AllocatedBytes.by(() -> send(0, FRAMES));
      rounds++;
    }
    assertThat(refused).isEqualTo(forwards ? 0 : (long) FRAMES * rounds);
    assertThat(allocated).as("bytes for %d frames", FRAMES).isLessThanOrEqualTo(TOLERATED);
  }

  private interface Kind {
    void count(AllocationTest test, boolean family, boolean single);
  }

  private static void rehearse(Kind kind) {
    for (boolean family : new boolean[] {false, true}) {
      for (boolean single : new boolean[] {false, true}) {
        AllocationTest test = new AllocationTest();
        test.rehearsal = true;
        try {
          kind.count(test, family, single);
        } finally {
          test.close();
        }
      }
    }
  }

  /** Else each kind that comes new ends the code that was compiled for those before, and it is all compiled again. */
  @BeforeAll
  static void showAllKindsToTheCompiler() {
    rehearse(AllocationTest::framesOfEstablishedSessions);
    rehearse(AllocationTest::framesOfSessionsWhoseNumbersAreKept);
    rehearse(AllocationTest::connectionsThatBeginAndAreReset);
    rehearse(AllocationTest::handshakes);
    rehearse(AllocationTest::datagramsOfMappings);
    rehearse(AllocationTest::connectionsThatServersBegin);
    rehearse(AllocationTest::unknown);
    rehearse(AllocationTest::malformed);
  }

  @EveryFamilyAndArm
  void framesOfEstablishedSessions(boolean family, boolean single) {
    open(family, single);
    for (int flow = 0; flow < 64; flow++) {
      serviceTraffic(5000 + flow, TcpHeader.SYN, TcpHeader.SYN | TcpHeader.ACK, 100);
    }
    for (int i = 0; i < templates.size(); i++) {
      single(i);
    }
    templates.clear();
    for (int flow = 0; flow < 64; flow++) {
      serviceTraffic(5000 + flow, TcpHeader.ACK, TcpHeader.ACK, 101);
    }
    assertNothingAllocated(true);
    assertThat(path.sessions()).isEqualTo(64);
  }

  @EveryFamilyAndArm
  void framesOfSessionsWhoseNumbersAreKept(boolean family, boolean single) {
    resetOnIdle = true;
    framesOfEstablishedSessions(family, single);
  }

  @EveryFamilyAndArm
  void connectionsThatBeginAndAreReset(boolean family, boolean single) {
    open(family, single);
    for (int flow = 0; flow < 64; flow++) {
      serviceTraffic(5000 + flow, TcpHeader.SYN, TcpHeader.RST | TcpHeader.ACK, 100);
    }
    assertNothingAllocated(true);
  }

  /** A SYN that is repeated, then answered in time, then given up: all that is told of a handshake. */
  @EveryFamilyAndArm
  void handshakesThatAreWatched(boolean family, boolean single) {
    handshakes(family, single);
    assertThat(path.counters().handshakes(1).silent()).isGreaterThan(FRAMES / 10);
    assertThat(path.counters().handshakes(1).timed()).isGreaterThan(FRAMES / 10);
  }

  private void handshakes(boolean family, boolean single) {
    open(family, single);
    for (int flow = 0; flow < 64; flow++) {
      serviceTraffic(5000 + flow, TcpHeader.SYN, TcpHeader.ACK, 100);
      serviceTraffic(5000 + flow, TcpHeader.SYN, TcpHeader.SYN | TcpHeader.ACK, 100);
      serviceTraffic(5000 + flow, TcpHeader.RST, TcpHeader.RST, 100);
    }
    assertNothingAllocated(true);
  }

  @EveryFamilyAndArm
  void datagramsOfMappings(boolean family, boolean single) {
    open(family, single);
    for (int flow = 0; flow < 64; flow++) {
      outboundTraffic(6000 + flow);
    }
    for (int i = 1; i < templates.size(); i += 2) {
      single(i);
    }
    assertNothingAllocated(true);
    assertThat(path.sessions()).isEqualTo(64);
  }

  /** A host's connection, which the peer refuses; the next one is from the same port. */
  @EveryFamilyAndArm
  void connectionsThatServersBegin(boolean family, boolean single) {
    open(family, single);
    for (int flow = 0; flow < 64; flow++) {
      int port = 6000 + flow;
      templates.add(
          request(
              FrameBuilder.from(client(), external()).tcp(80, port, TcpHeader.RST | TcpHeader.ACK).numbers(500, 101)));
      templates.add(
          fromInside(FrameBuilder.from(server(), client()).tcp(port, 80, TcpHeader.SYN).numbers(100, 0)));
    }
    for (int i = 1; i < templates.size(); i += 2) {
      single(i);
    }
    assertNothingAllocated(true);
  }

  /** To the virtual address where no service is, and to an external one that stands for nobody. */
  @EveryFamilyAndArm
  void unknown(boolean family, boolean single) {
    open(family, single);
    for (int flow = 0; flow < 64; flow++) {
      templates.add(request(FrameBuilder.from(client(), vip()).tcp(5000 + flow, 81, TcpHeader.SYN)));
      templates.add(
          fromInside(FrameBuilder.from(server(), client()).tcp(8080, 5000 + flow, TcpHeader.RST).numbers(1, 1)));
      templates.add(request(FrameBuilder.from(client(), external()).udp(53, 7000 + flow).payload(new byte[20])));
      templates.add(
          fromInside(FrameBuilder.from(server(), client()).tcp(9090, 5000 + flow, TcpHeader.RST).numbers(1, 1)));
    }
    assertNothingAllocated(false);
    assertThat(path.sessions()).isZero();
  }

  /** By turns: an IP version that does not match, and a length beyond the frame. */
  @EveryFamilyAndArm
  void malformed(boolean family, boolean single) {
    open(family, single);
    for (int flow = 0; flow < 64; flow++) {
      serviceTraffic(5000 + flow, TcpHeader.SYN, TcpHeader.SYN | TcpHeader.ACK, 100);
    }
    for (int i = 0; i < templates.size(); i++) {
      long[] words = templates.get(i).words;
      int at = i % 4 < 2 ? 14 : v6 ? 18 : 16; // version, or length
      words[at / 8] |= 0xF0L << 56 - at % 8 * 8;
    }
    assertNothingAllocated(false);
    assertThat(path.sessions()).isZero();
  }
}
