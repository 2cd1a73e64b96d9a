package io.lb4j.examples.live;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.pcap.live.LiveIo;
import io.lb4j.port.Port;
import io.lb4j.port.PortTraits;
import io.lb4j.topology.Link;
import io.lb4j.verify.VerifiedLink;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The interfaces of a configuration, open without a balancer. Owned by one thread. */
public final class OpenLinks implements AutoCloseable {
  private static final int BUFFER_BYTES = 8 * 1024 * 1024;

  private final List<VerifiedLink> links = new ArrayList<>();

  private OpenLinks() {}

  /**
   * Opens them.
   *
   * @param configuration checked
   * @return all of them; the caller closes them
   * @throws io.lb4j.port.PortException when one cannot be opened
   */
  public static OpenLinks open(Configuration configuration) {
    OpenLinks open = new OpenLinks();
    try {
      configuration.interfaces().forEach(open::add);
      return open;
    } catch (RuntimeException e) {
      open.close();
      throw e;
    }
  }

  private void add(InterfaceDeclaration declared) {
    LiveIo io = declared.live().io() == LiveIo.XDP ? LiveIo.AUTO : declared.live().io(); // a balancer may have that
    Port port = declared.port().io(io).queues(1).bufferSize(BUFFER_BYTES).open().port();
    PortTraits traits = port.traits();
    Set<IpAddress> held =
        traits.addresses().stream().map(InterfaceAddress::address).collect(Collectors.toSet());
    List<InterfaceAddress> addresses =
        declared.addresses().isEmpty()
            ? traits.addresses()
            : declared.addresses().stream().map(InterfaceAddress::of).toList();
    Link link =
        new Link(
            links.size(),
            declared.name(),
            traits.mac(),
            declared.mtu() > 0 ? declared.mtu() : traits.mtu(),
            addresses,
            traits.hostStack(),
            false,
            false,
            declared.gatewayAddresses().stream().map(IpAddress::of).toList());
    links.add(new VerifiedLink(link, port, held));
  }

  /**
   * The interfaces.
   *
   * @return in the order of the file
   */
  public List<VerifiedLink> list() {
    return List.copyOf(links);
  }

  @Override
  public void close() {
    links.forEach(link -> link.port().close());
  }
}
