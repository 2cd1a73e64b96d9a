package io.lb4j.monitor;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.Arrays;

/**
 * A datagram to the server, and what is expected in return. An ICMP "port unreachable" is always a failure. Immutable,
 * shared.
 *
 * <p>Silence is a failure unless told otherwise: a server that is cut off is silent too, and a monitor that takes
 * silence for an answer never finds that. Where the protocol does not answer, for example syslog, let silence pass and
 * add a {@code ping}.
 */
public final class UdpCheck implements Check {
  /** The longest request or expected answer. */
  public static final int LONGEST_PAYLOAD = 1400;

  private static final UdpCheck EMPTY = new UdpCheck(new byte[0], new byte[0], false);

  private final byte[] send;
  private final byte[] expect;
  private final boolean silencePasses;

  private UdpCheck(byte[] send, byte[] expect, boolean silencePasses) {
    this.send = length("send", send);
    this.expect = length("expect", expect);
    this.silencePasses = silencePasses;
    if (silencePasses && expect.length > 0) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION,
          "monitor: silence",
          "up",
          "an answer is expected, and silence would do as well");
    }
  }

  private static byte[] length(String setting, byte[] payload) {
    if (payload.length > LONGEST_PAYLOAD) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "monitor: " + setting,
          payload.length + " bytes",
          "not in 0.." + LONGEST_PAYLOAD);
    }
    return payload.clone();
  }

  /**
   * A request.
   *
   * @param payload of the datagram; may be empty
   * @return a check that any datagram in return satisfies
   */
  public static UdpCheck sending(byte[] payload) {
    return new UdpCheck(payload, EMPTY.expect, false);
  }

  /**
   * The same with bytes that the answer has to contain.
   *
   * @param part anywhere in the answer; empty when any answer will do
   * @return a new check
   */
  public UdpCheck expecting(byte[] part) {
    return new UdpCheck(send, part, silencePasses);
  }

  /**
   * The same, content with a server that does not say that the port is closed.
   *
   * @param passes whether silence is a success; false unless told otherwise
   * @return a new check
   */
  public UdpCheck silencePasses(boolean passes) {
    return new UdpCheck(send, expect, passes);
  }

  /**
   * The request.
   *
   * @return a copy
   */
  public byte[] send() {
    return send.clone();
  }

  /**
   * What the answer has to contain.
   *
   * @return a copy; empty when any answer will do
   */
  public byte[] expect() {
    return expect.clone();
  }

  /**
   * Whether silence is a success.
   *
   * @return false unless told otherwise
   */
  public boolean silencePasses() {
    return silencePasses;
  }

  @Override
  public String type() {
    return "udp";
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof UdpCheck that
        && Arrays.equals(send, that.send)
        && Arrays.equals(expect, that.expect)
        && silencePasses == that.silencePasses;
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(send) + Arrays.hashCode(expect);
  }

  @Override
  public String toString() {
    return "udp, " + send.length + " bytes out, " + expect.length + " expected"
        + (silencePasses ? ", silence passes" : "");
  }
}
