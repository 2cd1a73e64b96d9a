package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.service.Protocol;
import org.jspecify.annotations.Nullable;

/** What a server is asked about one service. Owned by the thread that verifies. */
final class PortTest {
  final ServerCheck check;
  final @Nullable IpAddress vip; // null where addresses are translated

  /** To the virtual address; null where addresses are translated. */
  @Nullable Question onVip;
  /** To the server's own address. */
  @Nullable Question onOwn;
  /** To the server's own address, from our link-local one; IPv6 only. */
  @Nullable Question fromLink;
  /** To the server's own address, from a client's; gateway only. */
  @Nullable Question fromClient;

  PortTest(ServerCheck check, @Nullable IpAddress vip) {
    this.check = check;
    this.vip = vip;
  }

  boolean isTcp() {
    return check.protocol() == Protocol.TCP;
  }

  /** Whether the port answers our link-local address, and no other one of ours. */
  boolean isHeardWithinLinkAlone() {
    boolean silent = (onVip == null || onVip.answers.isEmpty()) && (onOwn == null || onOwn.answers.isEmpty());
    return silent && fromLink != null && !fromLink.answers.isEmpty();
  }

  /** Whether a question was answered with a reset, or with an error that says as much. */
  static boolean isClosed(@Nullable Question question) {
    return question != null
        && question.answers.stream()
            .anyMatch(a -> a.saysClosed() || a.aspect() == Answer.Aspect.REPLY && a.isReset());
  }

  /** Whether a connection was taken, or a datagram answered. */
  static boolean isOpen(@Nullable Question question) {
    return question != null
        && question.answers.stream().anyMatch(a -> a.aspect() == Answer.Aspect.REPLY && !a.isReset());
  }
}
