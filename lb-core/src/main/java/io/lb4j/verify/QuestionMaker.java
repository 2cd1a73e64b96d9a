package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.service.Protocol;
import io.lb4j.topology.Link;
import io.lb4j.wire.IpProtocol;
import java.util.SplittableRandom;

/** Puts questions together, each packet with a number of its own. Owned by the thread that verifies. */
final class QuestionMaker {
  /** So many packets can be asked about at a time; then numbers come round. */
  static final int NUMBERS = 16_384;

  private static final int FIRST_NUMBER = 49_152;

  private final Neighborhood neighborhood;
  private final SplittableRandom random;
  private int numbers;

  QuestionMaker(Neighborhood neighborhood, SplittableRandom random) {
    this.neighborhood = neighborhood;
    this.random = random;
    this.numbers = random.nextInt(NUMBERS);
  }

  /** Who has an address? By ARP or neighbour discovery. */
  Question whoHas(Link link, long destinationMac, IpAddress sender, IpAddress target) {
    byte[] frame = target.isV6()
        ? ProbeFrames.solicitation(link, sender, target)
        : ProbeFrames.arpRequest(link, destinationMac, sender, target);
    Question question = Question.whoHas(link, frame, sender, target);
    neighborhood.expect(question);
    return question;
  }

  private int nextNumber() {
    numbers = (numbers + 1) % NUMBERS;
    return FIRST_NUMBER + numbers;
  }

  /** An echo request from an address of ours. */
  Question echo(Link link, long mac, IpAddress source, IpAddress target, int dataLength) {
    return echo(link, mac, source, target, dataLength, true);
  }

  /** An echo request from an address of ours, or from a client's. */
  Question echo(Link link, long mac, IpAddress source, IpAddress target, int dataLength, boolean own) {
    int number = nextNumber();
    long nonce = random.nextLong();
    int timeToLive = own ? ProbeFrames.OWN_TIME_TO_LIVE : ProbeFrames.CLIENT_TIME_TO_LIVE;
    byte[] frame = ProbeFrames.echo(link, mac, source, target, timeToLive, number, nonce, dataLength);
    int protocol = target.isV6() ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
    return Question.packet(link, frame, source, target, number, protocol, 0, nonce);
  }

  /** A SYN or datagram, as the service wants it, from an address of ours or a client's. */
  Question service(ServerTest server, IpAddress source, IpAddress target, ServerCheck check, boolean own) {
    int number = nextNumber();
    int ports = number << 16 | check.port();
    int timeToLive = own ? ProbeFrames.OWN_TIME_TO_LIVE : ProbeFrames.CLIENT_TIME_TO_LIVE;
    Link link = server.link;
    long mac = server.mac();
    if (check.protocol() == Protocol.UDP) {
      byte[] frame = ProbeFrames.datagram(link, mac, source, target, timeToLive, ports, check.payloadBytes());
      return Question.packet(link, frame, source, target, number, IpProtocol.UDP, check.port(), 0);
    }
    int sequence = random.nextInt();
    byte[] frame = ProbeFrames.syn(link, mac, source, target, timeToLive, ports, sequence);
    Question question = Question.packet(link, frame, source, target, number, IpProtocol.TCP, check.port(), sequence);
    question.farewell = ProbeFrames.reset(link, mac, source, target, timeToLive, ports, sequence + 1);
    return question;
  }
}
