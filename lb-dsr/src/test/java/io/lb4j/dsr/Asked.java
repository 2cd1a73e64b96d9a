package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.IpAddress;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Probes of a balancer on a LAN: the frames that it sent for them, the answers of servers, and the results. */
final class Asked {
  static final Duration TIMEOUT = Duration.ofSeconds(2);

  final Lan lan;
  final List<ProbeResult> results = new ArrayList<>();

  /** A frame that was sent. */
  record Frame(ByteBuf bytes, boolean v6) {
    private int transport() {
      return 14 + (v6 ? 40 : 20);
    }

    String destinationMac() {
      return ByteBufUtil.hexDump(bytes, 0, 6).replaceAll("..(?!$)", "$0:");
    }

    String source() {
      return address(v6 ? 14 + 8 : 14 + 12);
    }

    String target() {
      return address(v6 ? 14 + 24 : 14 + 16);
    }

    private String address(int at) {
      byte[] octets = new byte[v6 ? 16 : 4];
      bytes.getBytes(at, octets);
      return IpAddress.of(octets).toString();
    }

    int protocol() {
      return bytes.getByte(v6 ? 14 + 6 : 14 + 9);
    }

    boolean isEcho() {
      return protocol() == (v6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP);
    }

    boolean isSolicitation() {
      return v6 && isEcho() && bytes.getUnsignedByte(transport()) == 135;
    }

    int tcpFlags() {
      return bytes.getUnsignedByte(transport() + TcpHeader.FLAGS_OFFSET);
    }

    int port() {
      return bytes.getUnsignedShort(transport());
    }

    int sequence() {
      return bytes.getInt(transport() + TcpHeader.SEQUENCE_OFFSET);
    }

    /** Identifier, sequence and data of an echo request. */
    byte[] echoed() {
      byte[] rest = new byte[12];
      bytes.getBytes(transport() + 4, rest);
      return rest;
    }

    /** The IP packet, cut off as old routers do it. */
    byte[] quote() {
      byte[] quote = new byte[4 + transport() - 14 + 8];
      bytes.getBytes(14, quote, 4, quote.length - 4);
      return quote;
    }
  }

  Asked(Lan lan) {
    this.lan = lan;
  }

  void ping(String server) {
    lan.balancer.frameProber().ping(IpAddress.of(server), TIMEOUT, results::add);
    lan.after(0);
  }

  void direct(boolean tcp, int port, String server) {
    direct(tcp, port, server, TIMEOUT);
  }

  void direct(boolean tcp, int port, String server, Duration timeout) {
    lan.balancer
        .frameProber()
        .direct(IpAddress.of(lan.vip()), port, tcp, IpAddress.of(server), timeout, results::add);
    lan.after(0);
  }

  /** What was sent since the last call. */
  List<Frame> sent() {
    List<Frame> frames =
        lan.sent.stream()
            .map(hex -> Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex)))
            .map(bytes -> new Frame(bytes, bytes.getUnsignedShort(12) == 0x86DD))
            .toList();
    lan.sent.clear();
    return frames;
  }

  Frame only() {
    List<Frame> frames = sent();
    assertThat(frames).hasSize(1);
    return frames.get(0);
  }

  /** From an address that a server has, or says it has. */
  FrameBuilder from(String address) {
    return FrameBuilder.from(address, lan.own()).macs(Lan.LB_MAC, Lan.mac(1)).padTo(60);
  }

  FrameBuilder echoReply(Frame request) {
    return from(request.target()).icmp(lan.v6 ? 129 : 0, 0, request.echoed());
  }

  FrameBuilder synAck(Frame syn) {
    return from(syn.target()).tcp(80, syn.port(), TcpHeader.SYN | TcpHeader.ACK).numbers(9_000, syn.sequence() + 1);
  }

  FrameBuilder error(String sender, int type, int code, Frame about) {
    return from(sender).icmp(type, code, about.quote());
  }

  FrameBuilder portUnreachable(String sender, Frame about) {
    return error(sender, lan.v6 ? 1 : 3, lan.v6 ? 4 : 3, about);
  }

  FrameBuilder hostUnreachable(String sender, Frame about) {
    return error(sender, lan.v6 ? 1 : 3, lan.v6 ? 3 : 1, about);
  }

  /** The only result, which came by now. */
  ProbeResult result() {
    assertThat(results).hasSize(1);
    return results.get(0);
  }

  void assertResult(ProbeReason reason, String... words) {
    assertThat(result().reason()).as("%s", result()).isEqualTo(reason);
    assertThat(result().detail()).isNotEmpty().doesNotEndWith(".");
    for (String word : words) {
      assertThat(result().detail()).contains(word);
    }
  }

  /** Lets time pass up to the end of the probes, in steps. */
  void untilTheEnd() {
    for (long passed = 0; passed < TIMEOUT.toMillis(); passed += 100) {
      lan.after(100);
    }
  }
}
