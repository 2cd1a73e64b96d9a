package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.dataplane.DataPath;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.Verdict;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** An embedded balancer on one subnet, IPv4 or IPv6, with a clock that the test turns. */
final class Lan implements AutoCloseable {
  static final String LB_MAC = "02:00:00:00:00:05";
  static final String ROUTER_MAC = "02:00:00:00:00:01";

  final boolean v6;
  final LoadBalancer balancer;
  final DataPath path;
  final List<String> sent = new ArrayList<>();
  final List<String> ended = new ArrayList<>();
  long nowNs = 1_000_000_000L;

  Lan(boolean v6, UnaryOperator<LoadBalancerBuilder> options) {
    this(v6, false, options);
  }

  Lan(boolean v6, boolean hostStack, UnaryOperator<LoadBalancerBuilder> options) {
    this.v6 = v6;
    LoadBalancerBuilder builder =
        LoadBalancer.builder()
            .networkInterface(
                "eth0", i -> i.mac(LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64").hostStack(hostStack))
            .neighbor(server(1), mac(1))
            .neighbor(server(2), mac(2))
            .neighbor(server(3), mac(3))
            .announcements(AnnouncementSettings.off())
            .flowTable(1024)
            .seed(7)
            .clock(() -> nowNs);
    balancer = options.apply(builder).build();
    path = balancer.dataPath();
    path.onHeldFrameEnd((tag, verdict, in, out, binding, length) -> ended.add(tag + " " + verdict));
  }

  static String vip(boolean v6) {
    return v6 ? "2001:db8:5::100" : "192.0.2.100";
  }

  String own() {
    return v6 ? "2001:db8:5::5" : "192.0.2.5";
  }

  String vip() {
    return vip(v6);
  }

  String client(int n) {
    return (v6 ? "2001:db8:c::" : "198.51.100.") + n;
  }

  static String server(boolean v6, int n) {
    return (v6 ? "2001:db8:5::1" : "192.0.2.1") + n;
  }

  String server(int n) {
    return server(v6, n);
  }

  static String mac(int n) {
    return "02:00:00:00:00:1" + n;
  }

  static VirtualServiceBuilder tcp(boolean v6) {
    return VirtualService.tcp(vip(v6), 80).named("web").forwarding(DirectServerReturn.create());
  }

  static VirtualServiceBuilder dns(boolean v6) {
    return VirtualService.udp(vip(v6), 53).named("dns").forwarding(DirectServerReturn.create());
  }

  static VirtualServiceBuilder withServers(VirtualServiceBuilder service, boolean v6, int count) {
    for (int n = 1; n <= count; n++) {
      service.realServer("s" + n, server(v6, n));
    }
    return service;
  }

  FrameBuilder frame(int client) {
    return FrameBuilder.from(client(client), vip()).macs(LB_MAC, ROUTER_MAC).padTo(60);
  }

  Verdict process(FrameBuilder frame) {
    return process(frame.build(), FrameMarks.NONE, 0);
  }

  Verdict process(ByteBuf frame, long marks, long tag) {
    return path.process(0, frame, marks, tag, nowNs, this::transmit);
  }

  boolean transmit(int link, ByteBuf frame, long marks) {
    sent.add(ByteBufUtil.hexDump(frame));
    frame.release();
    return true;
  }

  void after(long millis) {
    nowNs += millis * 1_000_000L;
    path.tick(nowNs, this::transmit);
  }

  /** The server that the last frame went to. */
  String lastServer() {
    return path.serverName(path.last().binding()).orElse("none").replaceFirst(".*/", "");
  }

  /** Sends a frame that must be forwarded; answers its server. */
  String serverOf(FrameBuilder frame) {
    assertThat(process(frame)).isEqualTo(Verdict.FORWARD);
    return lastServer();
  }

  Statistics.ServerStatistics stats(String server) {
    return balancer.statistics().services().get(0).servers().stream()
        .filter(s -> s.name().equals(server))
        .findFirst()
        .orElseThrow();
  }

  /** The conservation law, after every scenario. */
  @Override
  public void close() {
    assertThat(balancer.statistics().holds()).as("received = verdicts + held").isTrue();
    path.close();
    Statistics end = balancer.statistics();
    assertThat(end.holds()).as("received = verdicts").isTrue();
    assertThat(end.held()).isZero();
    balancer.close();
  }
}
