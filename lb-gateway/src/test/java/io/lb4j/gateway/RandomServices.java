package io.lb4j.gateway;

import io.lb4j.address.IpAddress;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.HashInput;
import io.lb4j.schedule.HashInputs;
import io.lb4j.schedule.Scheduler;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.Activity;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.LostFlows;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.service.WhenAllDown;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/** Repeatable configurations: few addresses, ports and servers, so that services meet, take over and part. */
final class RandomServices {
  static final int SERVERS = 5;

  private static final List<String> NAMES = List.of("a", "b", "c", "d");
  private static final List<String> PORTS = List.of("80", "81", "80-85", "any");
  private static final HashInputs ALL = HashInputs.of(HashInput.SOURCE_ADDRESS, HashInput.SOURCE_PORT);

  private final boolean v6;
  private final Random random;

  RandomServices(boolean v6, Random random) {
    this.v6 = v6;
    this.random = random;
  }

  /** Up to four services. They may not fit together. */
  List<VirtualService> services() {
    List<VirtualService> services = new ArrayList<>();
    for (String name : NAMES) {
      if (random.nextInt(3) > 0) {
        services.add(service(name, random.nextInt(4) > 0));
      }
    }
    return services;
  }

  /** The same services with some changes, small and large. They may not fit together. */
  List<VirtualService> changed(List<VirtualService> services) {
    List<VirtualService> changed = new ArrayList<>();
    for (VirtualService service : services) {
      int how = random.nextInt(12);
      if (how == 0) {
        changed.add(service(service.name(), random.nextBoolean()));
      } else if (how == 1) {
        changed.add(renamed(service));
      } else if (how < 10) {
        changed.add(how < 4 ? service : changed(service));
      }
    }
    if (random.nextInt(4) == 0) {
      changed.add(service(NAMES.get(random.nextInt(NAMES.size())), random.nextInt(4) > 0));
    }
    return changed;
  }

  private VirtualService renamed(VirtualService service) {
    return service.toBuilder().named(service.name() + "2").build();
  }

  private VirtualService service(String name, boolean tcp) {
    VirtualServiceBuilder service =
        VirtualService.of(tcp ? Protocol.TCP : Protocol.UDP, PortRange.of(any(PORTS))).named(name);
    for (String vip : vips()) {
      service.vip(vip);
    }
    service.forwarding(method()).realServers(servers(List.of()));
    return policies(service).build();
  }

  private VirtualService changed(VirtualService service) {
    VirtualServiceBuilder change = service.toBuilder();
    if (random.nextInt(3) == 0) {
      change.forwarding(method());
    }
    if (random.nextInt(3) > 0) {
      change.realServers(servers(service.servers()));
    }
    return random.nextInt(3) == 0 ? policies(change).build() : change.build();
  }

  private VirtualServiceBuilder policies(VirtualServiceBuilder service) {
    return service
        .enabled(random.nextInt(8) > 0)
        .scheduler(scheduler())
        .drain(any(List.of(DrainBehavior.values())))
        .whenAllDown(any(List.of(WhenAllDown.values())))
        .whenServerDown(new LostFlows(fate(true), fate(true)))
        .whenServerRemoved(new LostFlows(fate(false), fate(false)))
        .persistence(random.nextInt(4) == 0 ? SourceIpPersistence.create() : null);
  }

  private LostFlows.Fate fate(boolean mayKeep) {
    return LostFlows.Fate.values()[mayKeep ? random.nextInt(4) : 1 + random.nextInt(3)];
  }

  private Scheduler scheduler() {
    return any(
        List.of(
            Schedulers.roundRobin(),
            Schedulers.weightedRoundRobin(),
            Schedulers.weightedLeastConnections(),
            Schedulers.sourceHash(),
            Schedulers.maglev(ALL, 251)));
  }

  private ForwardingMethod method() {
    return random.nextBoolean() ? new DirectRouting() : Gateway.create();
  }

  private List<RealServer> servers(List<RealServer> before) {
    List<RealServer> servers = new ArrayList<>();
    for (int n = 1; n <= SERVERS; n++) {
      String address = Network.inside(v6, n);
      boolean known = before.stream().anyMatch(server -> server.address().toString().equals(address));
      if (random.nextInt(3) > (known ? 0 : 1)) {
        String name = (random.nextInt(10) == 0 ? "n" : "s") + n;
        servers.add(
            new RealServer.Options()
                .weight(random.nextInt(4))
                .activity(random.nextInt(3) > 0 ? Activity.ONLINE : any(List.of(Activity.values())))
                .tier(1 + random.nextInt(2))
                .build(name, IpAddress.of(address)));
      }
    }
    return servers;
  }

  /** One address, two, or a prefix that holds them. */
  private Set<String> vips() {
    Set<String> vips = new TreeSet<>();
    int which = random.nextInt(5);
    if (which == 4) {
      vips.add(v6 ? "2001:db8:c::f0/126" : "198.51.100.232/30");
    } else {
      vips.add(vip(which % 3));
      if (which == 3) {
        vips.add(vip(1));
      }
    }
    return vips;
  }

  /** One of three addresses of the prefix. */
  String vip(int n) {
    return v6 ? "2001:db8:c::f" + (1 + n) : "198.51.100." + (233 + n);
  }

  <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }
}
