package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.topology.Link;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A server, everything that it is asked, and what it answered. Owned by the thread that verifies.
 */
final class ServerTest {
  static final long UNKNOWN = -1;

  final Link link;
  final IpAddress address;
  final IpAddress own; // of the balancer, that asks
  final List<ServerCheck> checks = new ArrayList<>();
  final List<VipTest> vips = new ArrayList<>();
  final List<PortTest> ports = new ArrayList<>();

  // who has the server's address?
  @Nullable Question request; // from our address
  @Nullable Question probe; // from nobody's; IPv4 only

  // asked at its MAC address
  @Nullable Question small;
  @Nullable Question big;
  @Nullable Question linkLocal; // from our link-local address; IPv6 only
  @Nullable Question clientArp; // from a client's address; IPv4 only
  @Nullable Question client; // an echo request from a client's address; gateway only
  @Nullable Question spare; // from an address that it has not seen, if all else is silent

  ServerTest(Link link, IpAddress address, IpAddress own) {
    this.link = link;
    this.address = address;
    this.own = own;
  }

  String name() {
    return checks.get(0).server();
  }

  List<String> services() {
    return checks.stream().map(ServerCheck::service).distinct().toList();
  }

  boolean isDirect() {
    return checks.get(0).mode() == ServerCheck.Mode.DIRECT;
  }

  boolean needsGateway() {
    return checks.stream().anyMatch(check -> check.mode() == ServerCheck.Mode.GATEWAY);
  }

  private Stream<Answer> whoAnswered() {
    return Stream.of(request, probe).filter(Objects::nonNull).flatMap(question -> question.answers.stream());
  }

  /** MAC addresses that were told for the server's, each once. */
  List<Long> macs() {
    return whoAnswered().map(Answer::mac).distinct().toList();
  }

  long mac() {
    return whoAnswered().map(Answer::mac).findFirst().orElse(UNKNOWN);
  }

  /** Whether its MAC address was told in time to ask it anything there. */
  boolean isAsked() {
    return small != null;
  }

  /** All questions to its MAC address that are packets of ours to itself or its virtual addresses. */
  private Stream<Question> packets() {
    return Stream.concat(
            Stream.of(small, big),
            Stream.concat(
                vips.stream().map(vip -> vip.echo), ports.stream().flatMap(port -> Stream.of(port.onVip, port.onOwn))))
        .filter(Objects::nonNull);
  }

  /** Whether any packet of ours was answered, rightly or not. */
  boolean isAlive() {
    return packets().anyMatch(question -> !question.answers.isEmpty());
  }

  /** Whether it answers packets with the time to live that Linux begins with. */
  boolean looksLikeLinux() {
    return packets()
        .flatMap(question -> question.answers.stream())
        .anyMatch(a -> a.aspect() == Answer.Aspect.REPLY && a.mac() == mac() && a.timeToLive() == 64);
  }
}
