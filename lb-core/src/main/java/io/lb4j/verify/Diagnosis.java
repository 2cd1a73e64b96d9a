package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import java.util.List;

/**
 * A fault that was found, with what shows it and what mends it. Immutable, shared.
 *
 * @param fault which
 * @param server the server's name; empty when no server is to blame
 * @param services the services that it concerns, one or more
 * @param address the virtual address, else the server's or the balancer's own address that it is about
 * @param port the service's port; 0 when it is not about one
 * @param text what was found, in one sentence
 * @param evidence the frames
 * @param commands what to type on the server, as root on Linux; may be empty
 */
public record Diagnosis(
    Fault fault,
    String server,
    List<String> services,
    IpAddress address,
    int port,
    String text,
    List<Evidence> evidence,
    List<String> commands) {
  /** Keeps copies of the lists. */
  public Diagnosis {
    services = List.copyOf(services);
    evidence = List.copyOf(evidence);
    commands = List.copyOf(commands);
  }
}
