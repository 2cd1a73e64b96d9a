package io.lb4j.examples.replay;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.forward.TranslatedForwarding;
import io.lb4j.pcap.CaptureException;
import io.lb4j.pcap.CaptureReader;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Finds the MAC addresses of servers and routers for a replay: the file's own, else the sender of the first ARP message
 * in the captures, else the source of the first IP frame, else a made-up one, with a warning. Where packets are routed,
 * the same is done for other hosts on the links, {@value #MOST_HOSTS} at most. Owned by one thread.
 */
final class NeighborLearning {
  /** Upper half of a made-up address: locally administered; the lower half is the IP address's last 24 bits. */
  static final long SYNTHETIC = 0x02_00_5E_00_00_00L;

  /** Hosts that the file does not name. */
  static final int MOST_HOSTS = 2048;

  private static final int ARP = 0x0806;
  private static final int IPV4 = 0x0800;
  private static final int IPV6 = 0x86DD;
  private static final int VLAN = 0x8100;

  private final Map<String, InterfaceDeclaration> links;
  private final Set<Long> ownMacs;
  private final Set<IpAddress> wanted = new LinkedHashSet<>();
  private final Map<IpAddress, MacAddress> fromArp = new HashMap<>();
  private final Map<IpAddress, MacAddress> fromIp = new HashMap<>();
  private final boolean routes;
  private final Set<IpAddress> hosts = new LinkedHashSet<>();
  private final Set<IpAddress> known = new HashSet<>();
  private final List<IpPrefix> own;

  NeighborLearning(Configuration configuration) {
    links = configuration.interfaces().stream().collect(Collectors.toMap(InterfaceDeclaration::name, i -> i));
    ownMacs =
        configuration.interfaces().stream()
            .flatMap(link -> link.mac().stream())
            .map(MacAddress::value)
            .collect(Collectors.toSet());
    configuration.services().forEach(service -> service.servers().forEach(server -> want(server.address())));
    configuration.routes().forEach(route -> want(route.via()));
    wanted.removeAll(configuration.neighbors().keySet());
    routes = configuration.outbound().isPresent()
        || configuration.services().stream().anyMatch(service -> service.forwarding() instanceof TranslatedForwarding);
    own = configuration.balancerAddresses();
    known.addAll(configuration.neighbors().keySet());
    links.values().stream()
        .flatMap(link -> link.addresses().stream())
        .forEach(address -> known.add(InterfaceAddress.of(address).address()));
  }

  private void want(IpAddress address) {
    if (links.values().stream().anyMatch(link -> isOnLink(link, address))) {
      wanted.add(address);
    }
  }

  private static boolean isOnLink(InterfaceDeclaration link, IpAddress address) {
    return link.addresses().stream().map(InterfaceAddress::of).anyMatch(own -> own.network().contains(address));
  }

  /** Every address that needs a MAC address, with one. */
  Map<IpAddress, MacAddress> learn(List<InterfaceFile> inputs, Consumer<String> warnings) throws CaptureException {
    for (InterfaceFile input : inputs) {
      if (routes || !wanted.isEmpty()) {
        scan(input);
      }
    }
    Map<IpAddress, MacAddress> result = new LinkedHashMap<>();
    wanted.addAll(hosts);
    for (IpAddress address : wanted) {
      MacAddress mac = fromArp.getOrDefault(address, fromIp.get(address));
      if (mac == null) {
        mac = MacAddress.of(SYNTHETIC | address.low() & 0xFF_FFFF);
        warnings.accept(address + ": no MAC address in the file or the captures; " + mac + " is used");
      }
      result.put(address, mac);
    }
    return result;
  }

  private void scan(InterfaceFile input) throws CaptureException {
    InterfaceDeclaration link = links.get(input.name());
    try (CaptureReader capture = CaptureReader.open(input.file())) {
      while (nextOf(capture)) {
        look(link, capture.buffer());
      }
    }
  }

  /** The damage of a file is told when its frames are processed. */
  private static boolean nextOf(CaptureReader capture) {
    try {
      return capture.next();
    } catch (CaptureException e) {
      return false;
    }
  }

  private void look(InterfaceDeclaration link, ByteBuf frame) {
    if (frame.readableBytes() < 14) {
      return;
    }
    int at = 12;
    if (frame.getUnsignedShort(at) == VLAN && frame.readableBytes() >= 18) {
      at += 4;
    }
    int left = frame.readableBytes() - at - 2;
    switch (frame.getUnsignedShort(at)) {
      case ARP -> {
        if (left >= 28) {
          note(fromArp, link, IpAddress.v4(frame.getInt(at + 16)), mac(frame, at + 10));
        }
      }
      case IPV4 -> {
        if (left >= 20) {
          note(fromIp, link, IpAddress.v4(frame.getInt(at + 14)), mac(frame, 6));
          noteDestination(IpAddress.v4(frame.getInt(at + 18)), mac(frame, 0));
        }
      }
      case IPV6 -> {
        if (left >= 40) {
          note(fromIp, link, IpAddress.v6(frame.getLong(at + 10), frame.getLong(at + 18)), mac(frame, 6));
          noteDestination(IpAddress.v6(frame.getLong(at + 26), frame.getLong(at + 34)), mac(frame, 0));
        }
      }
      default -> { }
    }
  }

  private static long mac(ByteBuf frame, int at) {
    return (long) frame.getUnsignedShort(at) << 32 | frame.getUnsignedInt(at + 2);
  }

  private void note(Map<IpAddress, MacAddress> target, InterfaceDeclaration link, IpAddress address, long mac) {
    boolean usable = mac != 0 && !MacAddress.isMulticast(mac) && !ownMacs.contains(mac);
    if (usable && isOnLink(link, address)) {
      noteHost(address);
      if (wanted.contains(address) || hosts.contains(address)) {
        target.putIfAbsent(address, MacAddress.of(mac));
      }
    }
  }

  /** Somebody on a link whom a frame to us is for in the end. */
  private void noteDestination(IpAddress address, long mac) {
    if (routes && ownMacs.contains(mac) && links.values().stream().anyMatch(link -> isOnLink(link, address))) {
      noteHost(address);
    }
  }

  private void noteHost(IpAddress address) {
    boolean isNew = routes && hosts.size() < MOST_HOSTS && !wanted.contains(address) && !known.contains(address);
    if (isNew && own.stream().noneMatch(prefix -> prefix.contains(address))) {
      hosts.add(address);
    }
  }
}
