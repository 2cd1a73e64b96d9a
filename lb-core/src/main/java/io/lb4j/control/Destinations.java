package io.lb4j.control;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.service.PortRange;
import io.lb4j.service.VirtualService;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Which of some services packets are for, as the data path will decide. Immutable, shared. */
record Destinations(List<VirtualService> services) {
  /** One place that packets go to. */
  record Destination(IpAddress address, int port) {}

  Destinations {
    services = List.copyOf(services);
  }

  static Destinations of(Collection<VirtualService> services) {
    return new Destinations(List.copyOf(services));
  }

  /** The service of the longest prefix, then of the fewest ports; none when nobody wants the packet. */
  Optional<VirtualService> find(VirtualService like, Destination to) {
    return services.stream()
        .filter(service -> service.protocol() == like.protocol() && service.ports().contains(to.port))
        .filter(service -> service.serves(to.address))
        .max(
            Comparator.comparingInt((VirtualService service) -> longest(service, to.address))
                .thenComparing(service -> -service.ports().size()));
  }

  private static int longest(VirtualService service, IpAddress address) {
    return service.vips().stream()
        .filter(vip -> vip.contains(address))
        .mapToInt(IpPrefix::length)
        .max()
        .orElse(-1);
  }

  /** One destination out of each part of a service's addresses and ports within which the answer is the same. */
  List<Destination> samples(VirtualService of) {
    List<VirtualService> others =
        services.stream()
            .filter(service -> service.ports().first() <= of.ports().last())
            .filter(service -> of.ports().first() <= service.ports().last())
            .filter(service -> service.vips().stream().anyMatch(vip -> of.vips().stream().anyMatch(vip::overlaps)))
            .toList();
    List<Destination> samples = new ArrayList<>();
    for (IpPrefix vip : of.vips()) {
      for (IpAddress address : addresses(vip, others)) {
        ports(of.ports(), others).forEach(port -> samples.add(new Destination(address, port)));
      }
    }
    return samples;
  }

  /** Each part begins where the prefix does, where another prefix does, or behind one. */
  private static Set<IpAddress> addresses(IpPrefix vip, List<VirtualService> others) {
    Set<IpAddress> addresses = new LinkedHashSet<>();
    addresses.add(vip.address());
    for (VirtualService other : others) {
      for (IpPrefix inner : other.vips()) {
        if (vip.contains(inner.address())) {
          addresses.add(inner.address());
          IpAddress behind = behind(inner);
          if (vip.contains(behind)) {
            addresses.add(behind);
          }
        }
      }
    }
    return addresses;
  }

  private static IpAddress behind(IpPrefix prefix) {
    boolean v6 = prefix.address().isV6();
    long lastHigh = prefix.address().high() | ~IpPrefix.maskHigh(v6, prefix.length());
    long lastLow = prefix.address().low() | ~IpPrefix.maskLow(v6, prefix.length());
    return v6
        ? IpAddress.v6(lastLow == -1 ? lastHigh + 1 : lastHigh, lastLow + 1)
        : IpAddress.v4((int) (lastLow + 1));
  }

  private static Set<Integer> ports(PortRange of, List<VirtualService> others) {
    Set<Integer> ports = new LinkedHashSet<>();
    ports.add(of.first());
    for (VirtualService other : others) {
      for (int port : new int[] {other.ports().first(), other.ports().last() + 1}) {
        if (of.contains(port)) {
          ports.add(port);
        }
      }
    }
    return ports;
  }
}
