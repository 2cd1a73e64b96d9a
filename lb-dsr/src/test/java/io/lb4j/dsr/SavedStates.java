package io.lb4j.dsr;

import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.state.FlowEntry;
import io.lb4j.state.FlowFilter;
import io.lb4j.state.RestoreReport;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/** What tests of saved state have in common: two instances, and what of one is to be found in the other. Stateless. */
final class SavedStates {
  static final long SECOND_NS = 1_000_000_000L;
  static final SourceIpPersistence PERSISTENCE = SourceIpPersistence.timeout(Duration.ofMinutes(5));

  private SavedStates() {}

  static VirtualServiceBuilder web(boolean v6) {
    return Lan.withServers(Lan.tcp(v6).scheduler(Schedulers.roundRobin()), v6, 3);
  }

  static VirtualServiceBuilder dns(boolean v6) {
    return Lan.withServers(Lan.dns(v6).scheduler(Schedulers.roundRobin()), v6, 3);
  }

  static Lan lan(boolean v6, VirtualServiceBuilder... services) {
    return new Lan(
        v6,
        builder -> {
          Arrays.stream(services).forEach(builder::service);
          return builder;
        });
  }

  /** Another instance: seed, clock, order of declaration and names of servers differ. */
  static Lan other(boolean v6, UnaryOperator<VirtualServiceBuilder> webChange) {
    VirtualServiceBuilder web = Lan.tcp(v6).scheduler(Schedulers.roundRobin());
    for (int n = 3; n >= 1; n--) {
      web.realServer("other" + n, Lan.server(v6, n));
    }
    Lan lan = new Lan(v6, builder -> builder.service(dns(v6)).service(webChange.apply(web)).seed(99));
    lan.nowNs += 5_000_000 * SECOND_NS;
    lan.path.tick(lan.nowNs, lan::transmit);
    return lan;
  }

  static byte[] save(Lan lan) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      lan.balancer.saveState(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  static RestoreReport restore(Lan lan, byte[] saved) {
    try {
      return lan.balancer.restoreState(new ByteArrayInputStream(saved));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<FlowEntry> flows(Lan lan) {
    return lan.balancer.flows(FlowFilter.all(), 0, 100_000).flows();
  }

  /** All that must be equal on both instances; servers by their addresses, which names may hide. */
  static List<String> described(Lan lan) {
    return flows(lan).stream()
        .map(
            flow ->
                String.join(
                    " ",
                    flow.kind().toString(),
                    Integer.toString(flow.protocol()),
                    flow.source() + ":" + flow.sourcePort(),
                    flow.destination() + ":" + flow.destinationPort(),
                    flow.service(),
                    flow.server().replaceAll("[a-z]", ""),
                    flow.state().toString(),
                    flow.idle().toString()))
        .toList();
  }

  /** Three established connections of clients that persistence remembers. */
  static Lan threeFlows(boolean v6) {
    Lan lan = lan(v6, web(v6).persistence(PERSISTENCE), dns(v6));
    for (int client = 1; client <= 3; client++) {
      lan.serverOf(lan.frame(client).tcp(4000, 80, TcpHeader.SYN).numbers(1, 0));
      lan.serverOf(lan.frame(client).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9));
    }
    return lan;
  }

  /** Of more clients than {@link Lan#frame} has. */
  static FrameBuilder synOf(Lan lan, int client, int port) {
    String address = lan.v6 ? "2001:db8:c::" + Integer.toHexString(client) : "198.18." + client / 256 + "." + client % 256;
    return FrameBuilder.from(address, lan.vip()).macs(Lan.LB_MAC, Lan.ROUTER_MAC).padTo(60).tcp(4000, port, TcpHeader.SYN);
  }
}
