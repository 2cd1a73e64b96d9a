package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.service.EchoPolicy;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.Ipv4Header;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Frames with some bytes changed or cut off: none may throw, and all end in a verdict. */
@Tag("memory")
class FuzzTest {
  private static final int FRAMES = 60_000;

  private static FrameBuilder inside(Network net, SplittableRandom random) {
    int host = 1 + random.nextInt(3);
    String to = random.nextInt(4) == 0 ? net.external(1) : random.nextInt(4) == 0 ? net.vip() : net.peer(1);
    return net.from(host, to);
  }

  private static FrameBuilder outside(Network net, SplittableRandom random) {
    return net.to(random.nextBoolean() ? net.external(1) : net.vip(), net.peer(1));
  }

  private static ByteBuf valid(Network net, SplittableRandom random, boolean fromInside, byte[] quote) {
    FrameBuilder frame = fromInside ? inside(net, random) : outside(net, random);
    int port = random.nextInt(3) == 0 ? 80 : 5000 + random.nextInt(3);
    int other = random.nextInt(3) == 0 ? 80 : 5000 + random.nextInt(3);
    byte[] data = Frames.bytes(random.nextInt(100), random.nextLong());
    if (!net.v6 && random.nextInt(4) == 0) {
      frame.ipOptions(Frames.bytes(4 * random.nextInt(11), random.nextLong()));
    }
    if (random.nextInt(4) == 0) {
      frame.mayFragment(random.nextInt(4)).fragment(random.nextInt(4), 8 * random.nextInt(3), random.nextBoolean());
    }
    return switch (random.nextInt(6)) {
      case 0, 1 -> frame.tcp(port, other, random.nextInt(64)).payload(data).build();
      case 2, 3 -> frame.udp(port, other).payload(data).build();
      case 4 -> Frames.echo(frame, net.v6, port).build();
      default -> Frames.error(frame, net.v6 ? 1 + random.nextInt(4) : 3 + random.nextInt(10), 0, 0, quote).build();
    };
  }

  private static void change(ByteBuf frame, SplittableRandom random, boolean v6) {
    for (int n = random.nextInt(4); n > 0; n--) {
      frame.setByte(14 + random.nextInt(frame.readableBytes() - 14), random.nextInt(256));
    }
    if (random.nextInt(10) == 0) {
      frame.writerIndex(14 + random.nextInt(frame.readableBytes() - 14));
    } else if (!v6 && random.nextInt(4) > 0) {
      frame.setByte(14, 0x45 + random.nextInt(3));
      Ipv4Header.updateChecksum(frame, 14);
    }
  }

  @ParameterizedTest
  @CsvSource({"false,1", "true,2", "false,3", "true,4"})
  void shouldEndEveryFrameWithAVerdict(boolean v6, long seed) {
    try (Network net =
        Network.options(v6)
            .damaged()
            .mtu(1300, 1300)
            .nat(b -> b.filtering(Filtering.ENDPOINT_INDEPENDENT))
            .service(Network.web(v6, 2))
            .service(Network.dns(v6, 2))
            .with(b -> b.echo(EchoPolicy.FORWARD))
            .open()) {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] quote = Frames.bytes(60, 1);
      for (int n = 0; n < FRAMES; n++) {
        boolean fromInside = random.nextBoolean();
        ByteBuf frame = valid(net, random, fromInside, quote);
        change(frame, random, v6);
        List<Packet> sent = net.process(fromInside ? Network.INSIDE : Network.OUTSIDE, frame).sent();
        if (!sent.isEmpty() && sent.get(0).isIp()) {
          quote = sent.get(0).packet();
        }
        net.sent.clear();
        if (n % 500 == 0) {
          net.afterSeconds(3);
          net.sent.clear();
        }
      }
      assertThat(net.balancer.statistics().received()).isGreaterThanOrEqualTo(FRAMES);
      assertThat(net.udpOut(1, 7777, net.peer(7), 80).source()).isEqualTo(net.external(1));
    }
  }
}
