package io.lb4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Gateway;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.port.MemoryPort;
import io.lb4j.port.PortTraits;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A balancer of both methods that gets frames in batches, in memory with an address, beside one that gets the same
 * frames one by one on the heap and so walks with each: verdicts, bytes and what is sent agree.
 */
class BatchTest {
  private static final long START_NS = 1_000_000_000L;
  private static final String MAC = "02:00:00:00:00:05";
  private static final String ROUTER_MAC = "02:00:00:00:00:01";
  private static final int CLIENTS = 40;
  private static final int BATCHES = 150;
  private static final int FULL_NAT = 8443;

  /** What the ways out carry. */
  private enum Carried {
    NOTHING,
    CHECKSUMS,
    SUPER_FRAMES
  }

  /** A port that is never started. */
  private static MemoryPort port(String name, Carried carried) {
    boolean partial = carried != Carried.NOTHING;
    boolean gso = carried == Carried.SUPER_FRAMES;
    return new MemoryPort(name, new PortTraits(MacAddress.of(MAC), 1500, List.of(), false, partial, gso), 1, 8);
  }

  private static LoadBalancer balancer(Carried carried, boolean fullNat) {
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .networkInterface(
                "eth0",
                i -> i.port(port("eth0", carried)).address("192.0.2.5/24", "2001:db8:5::5/64").hostStack(false))
            .networkInterface(
                "eth1",
                i -> i.port(port("eth1", carried)).address("198.51.100.5/24", "2001:db8:6::5/64").hostStack(false))
            .route("0.0.0.0/0", "192.0.2.1")
            .route("::/0", "2001:db8:5::1")
            .neighbor("192.0.2.1", ROUTER_MAC)
            .neighbor("2001:db8:5::1", ROUTER_MAC)
            .announcements(AnnouncementSettings.off())
            .flowTable(16_384)
            .seed(7)
            .clock(() -> START_NS);
    for (int server = 1; server <= 3; server++) {
      builder.neighbor(direct(false, server), "02:00:00:00:04:0" + server);
      builder.neighbor(direct(true, server), "02:00:00:00:06:0" + server);
      builder.neighbor(inside(false, server), "02:00:00:00:14:0" + server);
      builder.neighbor(inside(true, server), "02:00:00:00:16:0" + server);
    }
    for (boolean v6 : new boolean[] {false, true}) {
      if (fullNat) {
        builder.service(of(VirtualService.tcp(vip(v6), FULL_NAT).named("full" + v6), Gateway.fullNat(external(v6)), v6));
      }
      builder.service(of(VirtualService.tcp(vip(v6), 80).named("direct" + v6), true, v6));
      builder.service(of(VirtualService.udp(vip(v6), 53).named("dns" + v6), true, v6));
      builder.service(
          of(VirtualService.tcp(vip(v6), 443).named("kept" + v6), true, v6).persistence(SourceIpPersistence.create()).adoptsConnections(false));
      builder.service(of(VirtualService.tcp(vip(v6), 8080).named("nat" + v6), false, v6));
      builder.service(of(VirtualService.udp(vip(v6), 5353).named("natdns" + v6), false, v6));
    }
    return builder.build();
  }

  private static VirtualServiceBuilder of(VirtualServiceBuilder service, boolean direct, boolean v6) {
    return of(service, direct ? DirectServerReturn.create() : Gateway.create(), v6);
  }

  private static VirtualServiceBuilder of(VirtualServiceBuilder service, ForwardingMethod method, boolean v6) {
    service.forwarding(method).scheduler(Schedulers.sourceHash());
    for (int server = 1; server <= 3; server++) {
      service.realServer("s" + server, method instanceof Gateway ? inside(v6, server) : direct(v6, server));
    }
    return service;
  }

  /** What servers of full NAT take for the client. */
  private static String external(boolean v6) {
    return v6 ? "2001:db8:6::e" : "198.51.100.200";
  }

  private static String vip(boolean v6) {
    return v6 ? "2001:db8:5::100" : "192.0.2.100";
  }

  private static String direct(boolean v6, int server) {
    return (v6 ? "2001:db8:5::1" : "192.0.2.1") + server;
  }

  private static String inside(boolean v6, int server) {
    return (v6 ? "2001:db8:6::1" : "198.51.100.1") + server;
  }

  private static String client(boolean v6, int number) {
    return v6 ? "2001:db8:f::" + Integer.toHexString(number + 1) : "203.0.113." + (number + 1);
  }

  /** A frame and where it comes in. */
  private record Arrival(int link, ByteBuf frame, long marks) {}

  /** Frames of some batch. A connection that is begun or ended in a batch has no more frames in it. */
  private static final class Traffic {
    private static final int[] PORTS = {80, 443, 8080, FULL_NAT};
    private final Random random;
    private final List<Behind> behind = new ArrayList<>();
    private final Set<String> changed = new HashSet<>();
    private int nextPort = 50_000;

    Traffic(long seed) {
      random = new Random(seed);
    }

    List<Arrival> batch() {
      changed.clear();
      List<Arrival> batch = new ArrayList<>();
      int size = 1 + random.nextInt(FrameBatch.CAPACITY);
      while (batch.size() < size) {
        if (random.nextInt(8) == 0 && batch.size() + 2 < size) {
          batch.addAll(beginning(random.nextBoolean(), nextPort++));
        }
        Arrival arrival = arrival(random.nextBoolean(), random.nextInt(CLIENTS), 40_000 + random.nextInt(4));
        if (arrival != null) {
          batch.add(arrival);
        }
      }
      return batch;
    }

    /** A SYN, and what follows it in the same batch. */
    private List<Arrival> beginning(boolean v6, int port) {
      String vip = vip(v6);
      FrameBuilder syn = FrameBuilder.from(client(v6, 1), vip).macs(MAC, ROUTER_MAC).tcp(port, 443, TcpHeader.SYN);
      FrameBuilder ack = FrameBuilder.from(client(v6, 1), vip).macs(MAC, ROUTER_MAC).tcp(port, 443, TcpHeader.ACK);
      return List.of(at(0, syn), at(0, ack.payload((byte) 3)));
    }

    private Arrival arrival(boolean v6, int client, int port) {
      FrameBuilder frame = FrameBuilder.from(client(v6, client), vip(v6)).macs(MAC, ROUTER_MAC);
      int service = PORTS[random.nextInt(PORTS.length)];
      return switch (random.nextInt(21)) {
        case 0, 1, 2 -> tcp(v6, client, port, service, TcpHeader.SYN, frame.tcp(port, service, TcpHeader.SYN));
        case 3, 4, 5, 6 -> tcp(v6, client, port, service, TcpHeader.ACK, frame.tcp(port, service, TcpHeader.ACK));
        case 7 -> tcp(v6, client, port, service, TcpHeader.FIN, frame.tcp(port, service, TcpHeader.FIN | TcpHeader.ACK));
        case 8, 9 -> at(0, frame.udp(port, random.nextBoolean() ? 53 : 5353).payload((byte) 7));
        case 10 -> at(0, frame.tcp(port, 81, TcpHeader.SYN));
        case 11 -> reply(v6, client, port);
        case 12 -> at(0, frame.vlan(7).udp(port, 53));
        case 13 -> at(0, frame.macs("02:00:00:00:00:99", ROUTER_MAC).udp(port, 53));
        case 14 -> at(0, FrameBuilder.from(direct(v6, 1), vip(v6)).macs(MAC, ROUTER_MAC).tcp(port, 80, TcpHeader.SYN));
        case 15 -> tcp(v6, client, port, service, TcpHeader.ACK, frame.tcp(port, service, TcpHeader.ACK), true);
        case 16 -> tcp(v6, client, port, 8080, TcpHeader.ACK, frame.tcp(port, 8080, TcpHeader.ACK), true);
        case 19, 20 -> behind.isEmpty() ? null : behind.get(random.nextInt(behind.size())).reply(this);
        case 17 -> merged(at(0, frame.udp(port, random.nextBoolean() ? 53 : 5353).payload(new byte[1_700])));
        default -> cut(frame.tcp(port, service, TcpHeader.ACK));
      };
    }

    /** Keeps whom a server of full NAT would answer. */
    void learn(String line) {
      if (!line.startsWith("FORWARD 1 ")) {
        return;
      }
      ByteBuf frame = Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(line.substring(line.lastIndexOf(' ') + 1)));
      boolean v6 = frame.getUnsignedShort(12) == 0x86DD;
      int transport = v6 ? 54 : 34;
      if (frame.getUnsignedShort(transport + 2) == FULL_NAT) {
        int server = frame.getByte(transport - 1) - (v6 ? 0x10 : 10);
        behind.add(new Behind(v6, server, frame.getUnsignedShort(transport)));
      }
    }

    private Arrival reply(boolean v6, int client, int port) {
      String server = inside(v6, 1 + random.nextInt(3));
      FrameBuilder frame = FrameBuilder.from(server, client(v6, client)).macs(MAC, "02:00:00:00:14:01");
      Arrival reply = at(1, random.nextBoolean() ? frame.tcp(8080, port, TcpHeader.ACK) : frame.udp(5353, port));
      return random.nextInt(4) == 0 ? merged(reply) : reply;
    }

    /** The same with the mark of a super-frame, whose segments may be too long. */
    private Arrival merged(Arrival arrival) {
      int[] sizes = {0, 1, 500, 1_400, 1_448, 1_460, 1_461, 1_500, 5_000};
      long marks = FrameMarks.withGso(arrival.marks, 1, sizes[random.nextInt(sizes.length)]);
      return new Arrival(arrival.link, arrival.frame, marks);
    }

    private Arrival tcp(boolean v6, int client, int port, int service, int flags, FrameBuilder frame) {
      return tcp(v6, client, port, service, flags, frame, false);
    }

    private Arrival tcp(
        boolean v6, int client, int port, int service, int flags, FrameBuilder frame, boolean isSuperFrame) {
      String flow = v6 + "/" + client + "/" + port + "/" + service;
      boolean changes = flags != TcpHeader.ACK;
      if (changes ? !changed.add(flow) : changed.contains(flow)) {
        return null;
      }
      changed.add(flow);
      return isSuperFrame ? merged(at(0, frame.payload(new byte[1_700]))) : at(0, frame.payload((byte) 1, (byte) 2));
    }

    private Arrival cut(FrameBuilder frame) {
      ByteBuf whole = frame.build();
      return new Arrival(0, whole.writerIndex(14 + random.nextInt(whole.readableBytes() - 14)), FrameMarks.NONE);
    }

    private Arrival at(int link, FrameBuilder frame) {
      return new Arrival(link, frame.build(), random.nextBoolean() ? FrameMarks.CHECKSUM_PARTIAL : FrameMarks.NONE);
    }
  }

  /** A connection as a server of full NAT sees it. */
  private record Behind(boolean v6, int server, int port) {
    Arrival reply(Traffic traffic) {
      FrameBuilder frame = FrameBuilder.from(inside(v6, server), external(v6)).macs(MAC, "02:00:00:00:14:01");
      return traffic.at(1, frame.tcp(FULL_NAT, port, TcpHeader.ACK));
    }
  }

  /** What became of frames: how each ended, where it went and with which bytes; then what else was sent. */
  private static List<String> inBatch(LoadBalancer balancer, List<Arrival> arrivals, long nowNs) {
    List<String> seen = new ArrayList<>();
    List<String> own = new ArrayList<>();
    FrameBatch batch = new FrameBatch();
    List<ByteBuf> frames = arrivals.stream().map(arrival -> direct(arrival.frame)).toList();
    for (int i = 0; i < frames.size(); i++) {
      batch.add(frames.get(i), 0, frames.get(i).readableBytes(), arrivals.get(i).marks, arrivals.get(i).link);
    }
    balancer.dataPath().process(batch, nowNs, (link, frame, marks) -> sent(own, link, frame));
    for (int i = 0; i < batch.size(); i++) {
      seen.add(described(batch.get(i), frames.get(i)));
    }
    frames.forEach(ByteBuf::release);
    seen.addAll(own.stream().sorted().toList());
    return seen;
  }

  private static List<String> oneByOne(LoadBalancer balancer, List<Arrival> arrivals, long nowNs) {
    List<String> seen = new ArrayList<>();
    List<String> own = new ArrayList<>();
    for (Arrival arrival : arrivals) {
      ByteBuf frame = Unpooled.buffer(arrival.frame.readableBytes()).writeBytes(arrival.frame.duplicate());
      balancer
          .dataPath()
          .process(arrival.link, frame, arrival.marks, 0, nowNs, (link, other, marks) -> sent(own, link, other));
      seen.add(described(balancer.dataPath().last(), frame));
      frame.release();
    }
    seen.addAll(own.stream().sorted().toList());
    return seen;
  }

  private static ByteBuf direct(ByteBuf frame) {
    return Unpooled.directBuffer(frame.readableBytes()).writeBytes(frame.duplicate());
  }

  private static String described(FrameView view, ByteBuf frame) {
    boolean goes = view.verdict() == Verdict.FORWARD || view.verdict() == Verdict.ANSWER;
    return view.verdict() + (goes ? " " + view.egress() + " " + view.marks() + " " + ByteBufUtil.hexDump(frame) : "");
  }

  private static boolean sent(List<String> own, int link, ByteBuf frame) {
    own.add("own " + link + " " + ByteBufUtil.hexDump(frame));
    frame.release();
    return true;
  }

  @ParameterizedTest
  @CsvSource({"NOTHING,false", "CHECKSUMS,false", "SUPER_FRAMES,false", "NOTHING,true", "SUPER_FRAMES,true"})
  void shouldEndFramesOfABatchAsOneByOne(Carried carried, boolean fullNat) {
    Traffic traffic = new Traffic(carried.ordinal());
    try (LoadBalancer batches = balancer(carried, fullNat); LoadBalancer singles = balancer(carried, fullNat)) {
      Set<Verdict> verdicts = new HashSet<>();
      int answered = 0;
      for (int i = 0; i < BATCHES; i++) {
        long nowNs = START_NS + i * 3_000_000L;
        List<Arrival> arrivals = traffic.batch();
        List<String> expected = oneByOne(singles, arrivals, nowNs);
        assertThat(inBatch(batches, arrivals, nowNs)).as("batch %d", i).isEqualTo(expected);
        expected.forEach(line -> addVerdict(verdicts, line));
        expected.forEach(traffic::learn);
        answered += (int) IntStream.range(0, arrivals.size()).filter(n -> isAnswer(arrivals.get(n), expected.get(n))).count();
        arrivals.forEach(arrival -> arrival.frame.release());
      }
      assertThat(verdicts)
          .contains(Verdict.FORWARD, Verdict.TCP_NOT_SYN, Verdict.NO_SERVICE, Verdict.OTHER_DESTINATION_MAC)
          .hasSizeGreaterThan(6)
          .contains(carried == Carried.SUPER_FRAMES ? Verdict.PACKET_TOO_BIG : Verdict.GSO_NOT_CARRIED);
      assertThat(answered).matches(count -> fullNat ? count > 100 : count == 0, "replies through full NAT");
      assertThat(batches.statistics().holds()).isTrue();
      assertThat(batches.dataPath().flows().size()).isEqualTo(singles.dataPath().flows().size()).isPositive();
    }
  }

  private static boolean isAnswer(Arrival arrival, String line) {
    int transport = arrival.frame.readableBytes() < 38 ? 0 : arrival.frame.getUnsignedShort(12) == 0x86DD ? 54 : 34;
    return arrival.link == 1 && line.startsWith("FORWARD 0 ") && arrival.frame.getUnsignedShort(transport) == FULL_NAT;
  }

  private static void addVerdict(Set<Verdict> verdicts, String line) {
    if (!line.startsWith("own ")) {
      verdicts.add(Verdict.valueOf(line.split(" ", 2)[0]));
    }
  }
}
