package io.lb4j.gateway.nat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.lb4j.core.LoadBalancer;
import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Filtering;
import io.lb4j.gateway.Gateway;
import io.lb4j.gateway.Outbound;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.EchoPolicy;
import io.lb4j.service.UnservedPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Traffic that makes no sense: random packets between few addresses, mutated, cut, repeated, sent back, with time that
 * jumps. Nothing may throw, nothing be read or written beyond the frame, every frame counted once, and all memory given
 * back.
 */
@Tag("memory")
class TranslatorFuzzTest {
  private static final String[] ADDRESSES_4 = {
    "198.51.100.10", "198.51.100.11", "198.51.100.100", "198.51.100.60", "198.51.100.5",
    "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.5", "203.0.113.9", "198.18.0.7", "192.0.2.255"
  };
  private static final String[] ADDRESSES_6 = {
    "2001:db8:c::10", "2001:db8:c::11", "2001:db8:c::100", "2001:db8:c::60", "2001:db8:c::5",
    "2001:db8:5::11", "2001:db8:5::12", "2001:db8:5::13", "2001:db8:5::5", "2001:db8:9::9", "fe80::1", "ff02::1"
  };
  private static final int[] PORTS = {80, 81, 5000, 5001, 7000};
  private static final String[] MACS = {"02:00:00:00:00:04", "02:00:00:00:00:05"};
  private static final int ROUNDS = 20_000;
  private static final byte GUARD = 0x5A;

  private final Deque<byte[]> seen = new ArrayDeque<>();
  private long nowNs = 1_000_000_000L;

  private LoadBalancer balancer(Filtering filtering) {
    Outbound outbound =
        Outbound.builder()
            .nat("192.0.2.0/25", "198.51.100.60")
            .nat("2001:db8:5::/65", "2001:db8:c::60")
            .route("203.0.113.0/24")
            .filtering(filtering)
            .build();
    return LoadBalancer.builder()
        .networkInterface(
            "eth0", i -> i.mac(MACS[0]).address("198.51.100.5/24", "2001:db8:c::5/64").mtu(600).hostStack(false))
        .networkInterface(
            "eth1", i -> i.mac(MACS[1]).address("192.0.2.5/24", "2001:db8:5::5/64").mtu(1500).hostStack(false))
        .route("203.0.113.0/24", "192.0.2.13")
        .route("0.0.0.0/0", "198.51.100.10")
        .route("::/0", "2001:db8:c::10")
        .neighbor("198.51.100.10", "02:00:00:00:00:10")
        .neighbor("2001:db8:c::10", "02:00:00:00:00:10")
        .neighbor("192.0.2.11", "02:00:00:00:00:11")
        .neighbor("2001:db8:5::11", "02:00:00:00:00:11")
        .neighbor("192.0.2.12", "02:00:00:00:00:12")
        .neighbor("198.51.100.11", "02:00:00:00:00:21")
        .neighbor("2001:db8:c::11", "02:00:00:00:00:21")
        .neighbor("2001:db8:5::12", "02:00:00:00:00:12")
        .outbound(outbound)
        .service(
            VirtualService.tcp("198.51.100.100", 80)
                .named("web")
                .forwarding(Gateway.create())
                .resetOnIdle(true)
                .realServer("s1", "192.0.2.11", s -> s.port(81))
                .realServer("s2", "192.0.2.12"))
        .service(
            VirtualService.tcp("2001:db8:c::100", 80)
                .named("proxied")
                .forwarding(Gateway.fullNat("2001:db8:5::77").withProxyProtocol())
                .resetOnIdle(true)
                .realServer("s1", "2001:db8:5::11"))
        .service(
            VirtualService.udp("198.51.100.100", 7000)
                .named("echo")
                .forwarding(Gateway.create())
                .realServer("s1", "192.0.2.11"))
        .announcements(AnnouncementSettings.off())
        .unserved(UnservedPolicy.REJECT)
        .echo(EchoPolicy.FORWARD)
        .flowTable(64)
        .seed(9)
        .clock(() -> nowNs)
        .build();
  }

  private static <T> T pick(SplittableRandom random, T[] from) {
    return from[random.nextInt(from.length)];
  }

  /** A likely frame, an answer to one that left, or anything. */
  private byte[] frame(SplittableRandom random) {
    int kind = random.nextInt(10);
    if (kind < 4 && !seen.isEmpty()) {
      return turned(seen.stream().skip(random.nextInt(Math.min(8, seen.size()))).findFirst().orElseThrow());
    }
    return kind < 8 ? likely(random) : anything(random);
  }

  /** From a client to a virtual or external address, or from an inside host to a client. */
  private static byte[] likely(SplittableRandom random) {
    String[] addresses = random.nextBoolean() ? ADDRESSES_4 : ADDRESSES_6;
    boolean inbound = random.nextBoolean();
    String client = addresses[random.nextInt(2)];
    String other = inbound ? addresses[2 + random.nextInt(2)] : addresses[5 + random.nextInt(3)];
    FrameBuilder builder =
        (inbound ? FrameBuilder.from(client, other) : FrameBuilder.from(other, client))
            .macs(MACS[inbound ? 0 : 1], "02:00:00:00:00:33");
    int from = PORTS[random.nextInt(PORTS.length)];
    int to = PORTS[random.nextInt(PORTS.length)];
    return bytes(
        random.nextBoolean()
            ? builder.tcp(from, to, random.nextInt(3) == 0 ? 16 : 2).payload(new byte[random.nextInt(3) * 7])
            : random.nextInt(5) == 0
                ? builder.icmp(addresses == ADDRESSES_6 ? 128 : 8, 0, new byte[] {0, (byte) random.nextInt(3), 0, 1})
                : builder.udp(from, to).payload(new byte[random.nextInt(3) * 300]));
  }

  /** The answer of whoever got a frame. */
  private static byte[] turned(byte[] sent) {
    byte[] answer = sent.clone();
    if (sent.length < 62) {
      return answer;
    }
    System.arraycopy(sent, 6, answer, 0, 6);
    System.arraycopy(sent, 0, answer, 6, 6);
    boolean v6 = sent[12] == (byte) 0x86;
    int address = v6 ? 22 : 26;
    int length = v6 ? 16 : 4;
    System.arraycopy(sent, address, answer, address + length, length);
    System.arraycopy(sent, address + length, answer, address, length);
    int protocol = sent[v6 ? 20 : 23];
    int transport = address + 2 * length;
    if (protocol == 6 || protocol == 17) {
      System.arraycopy(sent, transport, answer, transport + 2, 2);
      System.arraycopy(sent, transport + 2, answer, transport, 2);
    }
    if (protocol == 6 && answer[transport + 13] == 2) {
      answer[transport + 13] = 18;
    }
    return answer;
  }

  private static byte[] bytes(FrameBuilder builder) {
    ByteBuf built = builder.build();
    byte[] bytes = new byte[built.readableBytes()];
    built.readBytes(bytes);
    built.release();
    return bytes;
  }

  private byte[] anything(SplittableRandom random) {
    String[] addresses = random.nextBoolean() ? ADDRESSES_4 : ADDRESSES_6;
    FrameBuilder builder =
        FrameBuilder.from(pick(random, addresses), pick(random, addresses))
            .macs(pick(random, MACS), "02:00:00:00:00:33")
            .timeToLive(random.nextInt(4) == 0 ? 1 : 64);
    int from = PORTS[random.nextInt(PORTS.length)];
    int to = PORTS[random.nextInt(PORTS.length)];
    boolean v6 = addresses == ADDRESSES_6;
    switch (random.nextInt(5)) {
      case 0, 1 -> builder
          .tcp(from, to, new int[] {2, 18, 16, 17, 4, 24}[random.nextInt(6)])
          .numbers(random.nextInt(4), random.nextInt(4))
          .payload(new byte[random.nextInt(4) == 0 ? random.nextInt(1400) : random.nextInt(20)]);
      case 2 -> builder.udp(from, to).payload(new byte[random.nextInt(1200)]);
      case 3 -> {
        byte[] rest = seen.isEmpty() ? new byte[64] : seen.peekFirst();
        byte[] body = new byte[Math.max(4, rest.length - 14 + 4)];
        System.arraycopy(rest, Math.min(14, rest.length), body, 4, Math.max(0, rest.length - 14));
        builder.icmp(v6 ? 1 + random.nextInt(4) : new int[] {3, 11, 12, 4}[random.nextInt(4)], 0, body);
      }
      default -> builder.icmp(v6 ? 128 + random.nextInt(2) : random.nextInt(2) * 8, 0, new byte[] {0, 1, 0, 1, 9});
    }
    if (random.nextInt(6) == 0) {
      builder.fragment(random.nextInt(3), random.nextInt(3) * 8, random.nextBoolean());
    }
    return bytes(builder);
  }

  private static void mutate(SplittableRandom random, byte[] bytes) {
    for (int i = bytes.length == 0 ? 0 : random.nextInt(4); i > 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
  }

  private boolean remember(int link, ByteBuf frame, long marks) {
    byte[] bytes = new byte[frame.readableBytes()];
    frame.readBytes(bytes);
    frame.release();
    keep(bytes);
    return true;
  }

  private void keep(byte[] bytes) {
    seen.addFirst(bytes);
    if (seen.size() > 32) {
      seen.removeLast();
    }
  }

  private static boolean isGuarded(byte[] bytes, int from, int to) {
    for (int i = from; i < to; i++) {
      if (bytes[i] != GUARD) {
        return false;
      }
    }
    return true;
  }

  @ParameterizedTest
  @EnumSource(Filtering.class)
  void shouldEndEveryFrameWithoutThrowing(Filtering filtering) {
    SplittableRandom random = new SplittableRandom(filtering.ordinal());
    LoadBalancer balancer = balancer(filtering);
    DataPath path = balancer.dataPath();
    for (int round = 0; round < ROUNDS; round++) {
      byte[] bytes = frame(random);
      if (random.nextInt(8) == 0) {
        mutate(random, bytes);
      }
      int length = random.nextInt(12) == 0 ? random.nextInt(bytes.length + 1) : bytes.length;
      byte[] guarded = new byte[length + 64];
      Arrays.fill(guarded, GUARD);
      System.arraycopy(bytes, 0, guarded, 32, length);
      ByteBuf frame = Unpooled.wrappedBuffer(guarded);
      frame.setIndex(32, 32 + length);
      long marks = random.nextInt(10) == 0 ? FrameMarks.CHECKSUM_PARTIAL : FrameMarks.NONE;
      if (random.nextInt(20) == 0) {
        marks = FrameMarks.withGso(marks, 1, 500);
      }
      int link = bytes.length > 5 && bytes[5] == 5 ? 1 : 0;
      path.process(random.nextInt(10) == 0 ? 1 - link : link, frame, marks, round, nowNs, this::remember);
      if (!isGuarded(guarded, 0, 32) || !isGuarded(guarded, 32 + length, guarded.length)) {
        fail("written beyond the frame, " + path.last().verdict() + ": " + HexFormat.of().formatHex(bytes));
      }
      if (path.last().egress() >= 0) {
        keep(Arrays.copyOfRange(guarded, 32, 32 + length));
      }
      nowNs += random.nextInt(300) == 0 ? random.nextLong(2_000_000_000_000L) : random.nextLong(50_000_000L);
      if (random.nextInt(20) == 0) {
        path.tick(nowNs, this::remember);
      }
    }
    assertThat(balancer.statistics().holds()).isTrue();
    assertThat(balancer.statistics().verdicts()).as("the traffic reaches many branches").hasSizeGreaterThan(40);
    assertThat(balancer.statistics().count(Verdict.FORWARD)).isGreaterThan(3_000);
    nowNs += 20_000_000_000_000L;
    for (int i = 0; i < 50; i++) {
      nowNs += 1_000_000_000L;
      path.tick(nowNs, this::remember);
    }
    assertThat(path.sessions()).as("all sessions expire").isZero();
    path.close();
    assertThat(balancer.statistics().held()).isZero();
    assertThat(balancer.statistics().holds()).isTrue();
    balancer.statistics().services().forEach(
        service -> service.servers().forEach(server -> assertThat(server.counts().flows()).isZero()));
    balancer.statistics().services().forEach(
        service -> service.servers().forEach(server -> assertThat(server.counts().active()).isZero()));
    balancer.close();
  }
}
