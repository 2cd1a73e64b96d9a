package io.lb4j.gateway;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.flow.FlowHash;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.forward.Egress;
import io.lb4j.forward.SessionAccounting;
import io.lb4j.forward.Translator;
import io.lb4j.forward.TranslatorContext;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.topology.Link;
import io.lb4j.topology.Topology;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;

/** Translators of several workers, between the networks of {@link Network}, without the balancer around them. */
final class Workers {
  static final long SEED = 7;

  private Workers() {}

  /** A frame as a worker gets it. */
  static FrameView view(ByteBuf frame, int link) {
    FrameView view = new FrameView();
    view.wrap(frame, 0, frame.readableBytes(), FrameMarks.NONE, link);
    FrameParser.parse(view);
    view.setHash(hash(view));
    return view;
  }

  /** A way out that takes everything. */
  private static final class Taken implements Egress {
    @Override
    public Verdict send(FrameView frame, int link, int neighbor) {
      frame.setEgress(link);
      return frame.end(Verdict.FORWARD);
    }

    @Override
    public long route(boolean v6, long high, long low) {
      boolean inside = v6 ? high == 0x20010DB8_00050000L : low >>> 8 == 0xC00002;
      return inside ? 1L << 32 : 0;
    }

    @Override
    public int linkTowards(boolean v6, long high, long low) {
      return Egress.linkOf(route(v6, high, low));
    }

    @Override
    public int mtu(int link) {
      return 1500;
    }

    @Override
    public boolean carriesGso(int link) {
      return false;
    }
  }

  /** Time-outs of some minutes for every server. */
  private static final class Nobody implements SessionAccounting {
    @Override
    public int timeoutTicks(int binding, FlowState state) {
      return 1000;
    }

    @Override
    public void onBegin(int binding) {}

    @Override
    public void onActiveChange(int binding, int change) {}

    @Override
    public void onEnd(int binding, boolean active, boolean v6, long high, long low, int port, boolean replaced) {}

    @Override
    public void onAlive(int binding, boolean v6, long high, long low, int port) {}
  }

  private static List<InterfaceAddress> addresses(boolean outside) {
    return outside
        ? List.of(InterfaceAddress.of("198.51.100.5/24"), InterfaceAddress.of("2001:db8:c::5/64"))
        : List.of(InterfaceAddress.of("192.0.2.5/24"), InterfaceAddress.of("2001:db8:5::5/64"));
  }

  /** One of some workers, with room for a number of sessions. */
  static Translator worker(Outbound rules, int index, int workers, int capacity, VirtualService... services) {
    List<Link> links =
        List.of(
            new Link(0, "eth0", MacAddress.of(Network.OUTSIDE_MAC), 1500, addresses(true), false, false, false),
            new Link(1, "eth1", MacAddress.of(Network.INSIDE_MAC), 1500, addresses(false), false, false, false));
    Translator translator =
        rules.newTranslator(
            new TranslatorContext(
                new Topology(links, List.of()),
                new Taken(),
                view -> Verdict.NO_MAPPING,
                (about, type, code, word) -> {},
                new Nobody(),
                (tag, verdict, ingress, egress, binding, length) -> {},
                UnpooledByteBufAllocator.DEFAULT,
                capacity,
                FlowTableOverflow.EVICT_EMBRYONIC,
                new FlowHash(SEED),
                SEED,
                index,
                workers,
                0));
    translator.adopt(List.of(services));
    translator.begin(
        0,
        (link, frame, marks) -> {
          frame.release();
          return true;
        });
    return translator;
  }

  private static int hash(FrameView view) {
    FlowHash hash = new FlowHash(SEED);
    return view.isV6()
        ? hash.of6(
            view.sourceHigh(),
            view.sourceLow(),
            view.destinationHigh(),
            view.destinationLow(),
            view.ports(),
            view.protocol())
        : hash.of4(view.sourceLow() << 32 | view.destinationLow(), view.ports(), view.protocol());
  }
}
