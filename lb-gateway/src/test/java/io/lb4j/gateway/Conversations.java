package io.lb4j.gateway;

import io.lb4j.service.EchoPolicy;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Random traffic that makes sense, of every kind that crosses a gateway: hosts that begin something, and hosts that
 * answer what they got. Owned by one test.
 */
final class Conversations {
  static final int MAPPED_HOSTS = 20;
  static final int FIRST_ROUTED_HOST = 70;
  private static final int ROUTED_HOSTS = 10;
  private static final int PEERS = 12;
  private static final int REMEMBERED = 400;

  private final boolean v6;
  private final SplittableRandom random;
  private final List<Packet> arrived = new ArrayList<>();

  /** A frame and the interface it comes in by. */
  record Frame(int link, FrameBuilder frame) {}

  Conversations(boolean v6, long seed) {
    this.v6 = v6;
    this.random = new SplittableRandom(seed);
  }

  /** Inside hosts of which the first are translated and the last routed; services that translate in every way. */
  static Network.Options network(boolean v6, long seed, MappingListener listener) {
    return Network.options(v6)
        .outbound(
            b ->
                b.nat(v6 ? "2001:db8:5::1000/122" : "192.0.2.0/26", Network.external(v6, 1), Network.external(v6, 2))
                    .route(v6 ? "2001:db8:5::1040/122" : "192.0.2.64/26")
                    .listener(listener))
        .service(Network.web(v6, 3))
        .service(Network.dns(v6, 2))
        .service(
            VirtualService.tcp(Network.vip(v6), 81)
                .named("proxied")
                .forwarding(Gateway.fullNat(fullNat(v6)).withProxyProtocol())
                .realServer("s1", Network.inside(v6, 4), s -> s.port(8081)))
        .service(
            VirtualService.udp(Network.vip(v6), 54)
                .named("full")
                .forwarding(Gateway.fullNat(fullNat(v6)))
                .realServer("s1", Network.inside(v6, 5)))
        .with(b -> b.neighbor(fullNat(v6), Network.mac(99))) // for what comes too late, so that nothing waits
        .with(b -> b.echo(EchoPolicy.FORWARD).seed(seed));
  }

  static String fullNat(boolean v6) {
    return v6 ? "2001:db8:5::fa" : "192.0.2.250";
  }

  void arrived(List<Packet> packets) {
    arrived.addAll(packets);
    while (arrived.size() > REMEMBERED) {
      arrived.remove(random.nextInt(arrived.size()));
    }
  }

  Frame next() {
    return random.nextInt(3) == 0 || arrived.isEmpty() ? begin() : answer();
  }

  // ---- what hosts begin ----------------------------------------------------------------------------------------

  private int port() {
    return 3000 + random.nextInt(40);
  }

  private String peer() {
    return Network.peer(v6, 1 + random.nextInt(PEERS));
  }

  private int mappedHost() {
    return 1 + random.nextInt(MAPPED_HOSTS);
  }

  private int routedHost() {
    return FIRST_ROUTED_HOST + random.nextInt(ROUTED_HOSTS);
  }

  private Frame begin() {
    return switch (random.nextInt(10)) {
      case 0 -> outside(toService(80));
      case 1 -> outside(toService(81));
      case 2 -> outside(fromPeer(Network.vip(v6)).udp(port(), random.nextBoolean() ? 53 : 54).payload(data()));
      case 3 -> outside(Frames.echo(fromPeer(Network.vip(v6)), v6, port()));
      case 4 -> inside(transport(fromHost(mappedHost(), peer())));
      case 5 -> inside(Frames.echo(fromHost(mappedHost(), peer()), v6, port()));
      case 6 -> inside(transport(fromHost(routedHost(), peer())));
      case 7 -> inside(fromHost(mappedHost(), Network.vip(v6)).tcp(port(), 80, TcpHeader.SYN).numbers(1000, 0));
      case 8 -> outside(transport(fromPeer(Network.inside(v6, routedHost()))));
      default -> toMapping();
    };
  }

  /** From a peer or a host to an external address that something has left from. */
  private Frame toMapping() {
    Packet left = arrived.isEmpty() ? null : arrived.get(random.nextInt(arrived.size()));
    boolean external = left != null && left.source().startsWith(v6 ? "2001:db8:c::e" : "198.51.100.24");
    if (!external || left.protocol != Packet.TCP && left.protocol != Packet.UDP) {
      return inside(transport(fromHost(mappedHost(), peer())));
    }
    boolean tcp = left.protocol == Packet.TCP;
    FrameBuilder frame = random.nextBoolean() ? fromPeer(left.source()) : fromHost(mappedHost(), left.source());
    frame = Network.transport(frame, tcp, port(), left.sourcePort(), TcpHeader.SYN).numbers(7000, 0);
    return frame(frame);
  }

  private FrameBuilder toService(int servicePort) {
    return fromPeer(Network.vip(v6)).tcp(port(), servicePort, TcpHeader.SYN).numbers(random.nextInt(), 0);
  }

  private FrameBuilder transport(FrameBuilder frame) {
    boolean tcp = random.nextBoolean();
    frame = Network.transport(frame, tcp, port(), port(), TcpHeader.SYN).numbers(random.nextInt(), 0);
    return tcp ? frame : frame.payload(data());
  }

  private byte[] data() {
    return new byte[random.nextInt(40)];
  }

  private FrameBuilder fromPeer(String to) {
    return FrameBuilder.from(peer(), to).macs(Network.OUTSIDE_MAC, Network.ROUTER_MAC);
  }

  private FrameBuilder fromHost(int host, String to) {
    return FrameBuilder.from(Network.inside(v6, host), to).macs(Network.INSIDE_MAC, Network.mac(host));
  }

  private static Frame outside(FrameBuilder frame) {
    return new Frame(Network.OUTSIDE, frame);
  }

  private static Frame inside(FrameBuilder frame) {
    return new Frame(Network.INSIDE, frame);
  }

  private static Frame frame(FrameBuilder frame) {
    ByteBuf built = frame.build();
    int link = built.getByte(5) == 5 ? Network.INSIDE : Network.OUTSIDE;
    built.release();
    return new Frame(link, frame);
  }

  // ---- what hosts answer ---------------------------------------------------------------------------------------

  /** What somebody sends to whom it got a packet from. */
  private Frame answer() {
    Packet got = arrived.get(random.nextInt(arrived.size()));
    FrameBuilder frame =
        FrameBuilder.from(got.destination(), got.source()).macs(got.sourceMac(), got.destinationMac());
    return new Frame(got.link, answer(got, frame));
  }

  private FrameBuilder answer(Packet got, FrameBuilder frame) {
    return switch (got.protocol) {
      case Packet.TCP -> answerSegment(got, frame);
      case Packet.UDP -> frame.udp(got.destinationPort(), got.sourcePort()).payload(data());
      default ->
          got.icmpType() == (v6 ? 128 : 8)
              ? Frames.echoReply(frame, v6, got.icmpIdentifier())
              : Frames.echo(frame, v6, got.icmpIdentifier());
    };
  }

  private FrameBuilder answerSegment(Packet got, FrameBuilder frame) {
    boolean syn = (got.flags() & TcpHeader.SYN) != 0;
    boolean acknowledges = (got.flags() & TcpHeader.ACK) != 0;
    int fin = got.flags() & TcpHeader.FIN;
    int next = got.sequence() + got.payload().length + (syn ? 1 : 0) + fin;
    int sequence = acknowledges ? got.acknowledgment() : random.nextInt();
    int flags =
        syn && !acknowledges
            ? TcpHeader.SYN | TcpHeader.ACK
            : switch (random.nextInt(12)) {
              case 0 -> TcpHeader.FIN | TcpHeader.ACK;
              case 1 -> TcpHeader.RST | TcpHeader.ACK;
              default -> TcpHeader.ACK;
            };
    frame.tcp(got.destinationPort(), got.sourcePort(), flags).numbers(sequence, next);
    return flags == TcpHeader.ACK && !syn ? frame.payload(data()) : frame;
  }
}
