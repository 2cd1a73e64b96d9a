package io.lb4j.health;

import io.lb4j.monitor.Check;
import io.lb4j.monitor.HttpCheck;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.monitor.ProbeTarget;
import io.lb4j.monitor.UdpCheck;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.List;

/** Probes that are made with sockets of the host. Each call is one thread's, and takes no longer than its time-out. */
final class SocketProbes {
  private static final List<String> OWN_SHORTAGES =
      List.of("Too many open files", "No buffer space available", "Cannot allocate memory");
  private static final int LARGEST_ANSWER = 4096; // what is beyond is not looked at

  private SocketProbes() {}

  /** Connects, and closes again in the orderly way, so that the server has nothing to complain of. */
  static ProbeResult tcp(ProbeTarget target, OpenSocket open) {
    Deadline deadline = new Deadline(target.timeout());
    try (Socket socket = open.opened(new Socket())) {
      socket.connect(address(target), deadline.remainingMillis());
      return ProbeResult.answered(deadline.elapsedNs());
    } catch (IOException e) {
      return failure(e, false, target);
    }
  }

  /** Asks by HTTP over a connection of its own. */
  static ProbeResult http(HttpCheck check, ProbeTarget target, OpenSocket open) {
    Deadline deadline = new Deadline(target.timeout());
    boolean connected = false;
    try (Socket socket = open.opened(new Socket())) {
      socket.connect(address(target), deadline.remainingMillis());
      connected = true;
      return new HttpExchange(check, target, socket, deadline).result();
    } catch (IOException e) {
      return failure(e, connected, target);
    }
  }

  /** Sends one datagram; one in return decides. */
  static ProbeResult udp(UdpCheck check, ProbeTarget target, OpenSocket open) {
    Deadline deadline = new Deadline(target.timeout());
    try (DatagramSocket socket = open.opened(new DatagramSocket())) {
      socket.connect(address(target)); // only then does the kernel tell of a closed port
      byte[] request = check.send();
      socket.send(new DatagramPacket(request, request.length));
      DatagramPacket answer = new DatagramPacket(new byte[LARGEST_ANSWER], LARGEST_ANSWER);
      socket.setSoTimeout(deadline.remainingMillis());
      socket.receive(answer);
      byte[] expected = check.expect();
      if (ByteSearch.find(answer.getData(), answer.getLength(), expected) < 0) {
        return ProbeResult.failed(
            ProbeReason.WRONG_ANSWER, "an answer of " + answer.getLength() + " bytes without the expected ones");
      }
      return ProbeResult.answered(deadline.elapsedNs());
    } catch (SocketTimeoutException e) {
      return check.silencePasses()
          ? new ProbeResult(ProbeReason.ANSWERED, "silence", -1)
          : failure(e, true, target);
    } catch (IOException e) {
      return failure(e, false, target);
    }
  }

  private static InetSocketAddress address(ProbeTarget target) {
    return new InetSocketAddress(target.address().toInetAddress(), target.port());
  }

  /**
   * By the kernel's words, which the exceptions of the JDK tell apart only in part.
   *
   * @throws NotMadeException when the host's own descriptors or memory are used up (EMFILE, ENFILE, ENOBUFS, ENOMEM)
   */
  static ProbeResult failure(IOException failure, boolean connected, ProbeTarget target) {
    String words = failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    if (OWN_SHORTAGES.stream().anyMatch(words::contains)) {
      throw new NotMadeException(words);
    }
    if (failure instanceof SocketTimeoutException || words.contains("timed out")) {
      return ProbeResult.failed(ProbeReason.TIMED_OUT, timedOut(target));
    }
    if (failure instanceof PortUnreachableException) {
      return ProbeResult.failed(ProbeReason.REFUSED, "ICMP port unreachable");
    }
    if (failure instanceof ConnectException && words.contains("refused")) {
      return ProbeResult.failed(ProbeReason.REFUSED, "connection refused");
    }
    if (failure instanceof NoRouteToHostException) {
      return ProbeResult.failed(ProbeReason.UNREACHABLE, words);
    }
    if (connected && (failure instanceof SocketException || failure instanceof EOFException)) {
      return ProbeResult.failed(ProbeReason.CLOSED, words);
    }
    ProbeReason reason = failure instanceof SocketException ? ProbeReason.UNREACHABLE : ProbeReason.FAILED;
    return ProbeResult.failed(reason, words);
  }

  static String timedOut(ProbeTarget target) {
    return "no answer within " + target.timeout().toMillis() + " ms";
  }

  static ProbeResult run(Check check, ProbeTarget target, OpenSocket open) throws Exception {
    if (check instanceof Check.TcpConnect) {
      return tcp(target, open);
    }
    if (check instanceof UdpCheck udp) {
      return udp(udp, target, open);
    }
    if (check instanceof HttpCheck http) {
      return http(http, target, open);
    }
    if (check instanceof Check.Own own) {
      ProbeResult result = own.probe().probe(target);
      return result == null ? ProbeResult.failed(ProbeReason.FAILED, "the function answered nothing") : result;
    }
    throw new IllegalStateException("not a probe for a thread: " + check);
  }
}
