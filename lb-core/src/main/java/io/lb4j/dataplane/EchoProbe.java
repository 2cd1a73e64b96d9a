package io.lb4j.dataplane;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameView;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.topology.Topology;
import io.lb4j.wire.IcmpHeader;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An echo request to a server's own address, by way of a router where the server is not on a link. */
final class EchoProbe extends Probe {
  private @Nullable ProbePacket request;

  EchoProbe(int number, IpAddress server, long timeoutNs, Consumer<ProbeResult> done) {
    super(number, server, timeoutNs, done);
  }

  @Override
  @Nullable ProbeResult prepare(Topology topology, SplittableRandom random) {
    nextHop = topology.nextHop(server).orElse(null);
    if (nextHop == null) {
      return ProbeResult.failed(ProbeReason.UNREACHABLE, "no interface and no route leads to " + server);
    }
    link = topology.linkOf(nextHop).orElseThrow();
    Optional<IpAddress> source = source(link, nextHop, server.isV6());
    if (source.isEmpty()) {
      return noSource(link, server.isV6());
    }
    request = ProbePacket.echo(source.get(), server, number, 1, random.nextLong());
    return null;
  }

  @Override
  List<ProbePacket> unanswered() {
    return List.of(request);
  }

  @Override
  boolean onSegment(FrameView view, long nowNs) {
    return false;
  }

  @Override
  boolean onEchoReply(FrameView view, long nowNs) {
    if (!request.isEchoedBy(view)) {
      return false;
    }
    answered(nowNs);
    return true;
  }

  @Override
  boolean onQuote(FrameView view, long quote, long nowNs) {
    ProbeError error = ProbeError.of(view);
    if (!IcmpHeader.isError(view.isV6(), view.icmpType()) || !request.isQuotedBy(view, quote)) {
      return false; // a redirect is the host's
    }
    if (error.kind() != ProbeError.Kind.NOTHING) {
      IpAddress sender = IpAddress.of(view.isV6(), view.sourceHigh(), view.sourceLow());
      failed(ProbeReason.UNREACHABLE, error.words() + ", says " + sender);
    }
    return true;
  }

  @Override
  boolean onReturn(FrameView view) {
    return false;
  }

  @Override
  ProbeResult whenSilent() {
    return ProbeResult.failed(ProbeReason.TIMED_OUT, server + " does not answer echo requests");
  }

  @Override
  long settlesNs() {
    return deadlineNs;
  }
}
