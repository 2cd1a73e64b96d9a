package io.lb4j.monitor;

/**
 * What a monitor asks of a server. Immutable, shared, equal by value, so that a configuration that is read again
 * compares as unchanged.
 */
public sealed interface Check permits Check.TcpConnect, Check.Ping, Check.Direct, Check.Own, UdpCheck, HttpCheck {
  /**
   * The name in configuration files and reports.
   *
   * @return {@code tcp}, {@code ping}, {@code udp}, {@code http}, {@code dsr} or {@code own}
   */
  String type();

  /**
   * Whether it is about a port.
   *
   * @return false for {@link Ping} and {@link Own}
   */
  default boolean needsPort() {
    return true;
  }

  /** A TCP connection to the server's own address that is closed again. The default kind. */
  record TcpConnect() implements Check {
    @Override
    public String type() {
      return "tcp";
    }
  }

  /** An ICMP echo request to the server's own address, as a frame of the balancer's. */
  record Ping() implements Check {
    @Override
    public String type() {
      return "ping";
    }

    @Override
    public boolean needsPort() {
      return false;
    }
  }

  /**
   * A SYN, or a datagram, to each virtual address at the server's MAC address: proves that the server holds them. For
   * Direct Server Return.
   */
  record Direct() implements Check {
    @Override
    public String type() {
      return "dsr";
    }
  }

  /**
   * A function of the host. Equal when the functions are: by reference, unless they have an {@code equals} of their
   * own.
   *
   * @param probe called on a probe thread
   */
  record Own(Probe probe) implements Check {
    @Override
    public String type() {
      return "own";
    }

    @Override
    public boolean needsPort() {
      return false;
    }
  }
}
