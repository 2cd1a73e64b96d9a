package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.UdpCheck;
import io.lb4j.service.Activity;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.List;

/**
 * A real server of a service, and what it is to do. Immutable, shared.
 *
 * @param service the service's name
 * @param server the server's name
 * @param address the server's own address, in a subnet of the balancer
 * @param mode how frames reach it
 * @param vips the service's virtual addresses, single ones
 * @param protocol the service's
 * @param port the port that the server listens on; 0 when it is not to be asked
 * @param payload what a datagram is to hold that the program answers; may be empty
 */
public record ServerCheck(
    String service,
    String server,
    IpAddress address,
    Mode mode,
    List<IpAddress> vips,
    Protocol protocol,
    int port,
    List<Byte> payload) {
  /** Virtual addresses of a service that its servers are asked about. */
  private static final int MOST_VIPS = 64;

  /** How frames reach a server, and answers the client. */
  public enum Mode {
    /** By its MAC address alone: it holds the virtual addresses, and answers clients itself. */
    DIRECT,
    /** Translated: it answers the client by way of the balancer, its default gateway. */
    GATEWAY,
    /** Translated with an address of the balancer's as source: it answers that, and needs no gateway. */
    FULL_NAT
  }

  /** Keeps copies of the lists. */
  public ServerCheck {
    vips = List.copyOf(vips);
    payload = List.copyOf(payload);
  }

  /**
   * The checks of a service: each server that is not offline.
   *
   * @param service declared
   * @param mode how frames reach its servers
   * @return in the order of the servers
   */
  public static List<ServerCheck> of(VirtualService service, Mode mode) {
    List<IpAddress> vips = service.vips().stream().limit(MOST_VIPS).map(IpPrefix::address).toList();
    return service.servers().stream()
        .filter(server -> server.activity() != Activity.OFFLINE)
        .map(server -> new ServerCheck(
            service.name(),
            server.name(),
            server.address(),
            mode,
            vips,
            service.protocol(),
            port(service, server),
            payload(service, server)))
        .toList();
  }

  private static int port(VirtualService service, RealServer server) {
    if (server.port() != 0 || service.ports().size() == 1) {
      return server.port() != 0 ? server.port() : service.ports().first();
    }
    return service.monitors(server).list().stream()
        .mapToInt(Monitor::port)
        .filter(port -> port != 0)
        .findFirst()
        .orElse(0);
  }

  /** What a monitor sends, its program answers. */
  private static List<Byte> payload(VirtualService service, RealServer server) {
    List<Byte> bytes = new ArrayList<>();
    service.monitors(server).list().stream()
        .map(Monitor::check)
        .filter(UdpCheck.class::isInstance)
        .findFirst()
        .ifPresent(check -> {
          for (byte each : ((UdpCheck) check).send()) {
            bytes.add(each);
          }
        });
    return bytes;
  }

  byte[] payloadBytes() {
    byte[] bytes = new byte[payload.size()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = payload.get(i);
    }
    return bytes;
  }
}
