package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameView;
import io.lb4j.topology.Link;
import io.lb4j.wire.ArpPacket;
import io.lb4j.wire.IcmpHeader;
import io.lb4j.wire.NeighborMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * ARP and neighbour discovery of a verification: who answers what was asked, who claims which address, and answers for
 * addresses that nobody else attends to. Never answers for a virtual address of a service. Owned by the thread that
 * verifies; bounded by what it was told to watch, and by {@value #MOST_OVERHEARD} claims.
 */
final class Neighborhood {
  private static final int MOST_OVERHEARD = 4096;

  private record Place(int link, IpAddress address) {}

  private final List<VerifiedLink> links;
  private final Map<Place, List<Question>> questions = new HashMap<>();
  private final Set<IpAddress> watched = new HashSet<>();
  private final Set<Long> servers = new HashSet<>();
  private final Set<Place> attended = new HashSet<>();
  private final Set<Place> spares = new HashSet<>();
  private final Set<Place> gateways = new HashSet<>();
  private final Set<Overheard> overheard = new LinkedHashSet<>();

  Neighborhood(List<VerifiedLink> links) {
    this.links = links;
    for (VerifiedLink each : links) {
      each.unattended().forEach(own -> attend(each.link().index(), own));
    }
  }

  /** Claims on an address are remembered. */
  void watch(IpAddress address) {
    watched.add(address);
  }

  /** What a server asks for is remembered, and it is told where our gateway addresses are. */
  void watchServer(long mac) {
    servers.add(mac);
  }

  /** Questions for an address of ours are answered from now on. */
  void attend(int link, IpAddress own) {
    attended.add(new Place(link, own));
  }

  /** Questions for a spare address are answered, unless somebody takes it meanwhile. */
  void attendSpare(int link, IpAddress spare) {
    spares.add(new Place(link, spare));
  }

  /** Servers that ask for a gateway address are answered, unless it is another machine's. */
  void attendGateway(int link, IpAddress gateway) {
    gateways.add(new Place(link, gateway));
  }

  void expect(Question question) {
    Place place = new Place(question.link.index(), question.target);
    questions.computeIfAbsent(place, key -> new ArrayList<>()).add(question);
  }

  /** Claims on an address on a link, replies to our questions among them. */
  Stream<Overheard> claims(int link, IpAddress address) {
    return overheard.stream().filter(one -> one.link() == link && one.sender().equals(address));
  }

  /** What a server asked for. */
  Stream<Overheard> questionsOf(int link, long mac) {
    return overheard.stream().filter(one -> one.link() == link && one.mac() == mac && one.asks());
  }

  /** Takes notice of a frame; answers what is to be sent on the same link, or null. */
  byte @Nullable [] onFrame(FrameView view) {
    if (view.kind() == FrameKind.ARP) {
      return onArp(view);
    }
    if (view.kind() == FrameKind.ICMP && view.isV6()) {
      if (view.icmpType() == IcmpHeader.V6_NEIGHBOR_SOLICITATION) {
        return onSolicitation(view);
      }
      if (view.icmpType() == IcmpHeader.V6_NEIGHBOR_ADVERTISEMENT) {
        onAdvertisement(view);
      }
    }
    return null;
  }

  private byte @Nullable [] onArp(FrameView view) {
    int arp = view.network();
    boolean whole = arp + ArpPacket.LENGTH <= view.start() + view.length();
    if (!whole || !ArpPacket.isIpv4OverEthernet(view.buffer(), arp)) {
      return null;
    }
    long mac = ArpPacket.senderHardware(view.buffer(), arp);
    IpAddress sender = IpAddress.v4(ArpPacket.senderProtocol(view.buffer(), arp));
    IpAddress target = IpAddress.v4(ArpPacket.targetProtocol(view.buffer(), arp));
    boolean reply = ArpPacket.operation(view.buffer(), arp) == ArpPacket.REPLY;
    note(view, mac, sender, reply ? sender : target);
    if (!reply) {
      Link link = links.get(view.ingress()).link();
      return isAnswered(link.index(), mac, sender, target) ? ProbeFrames.arpReply(link, mac, sender, target) : null;
    }
    for (Question question : questions.getOrDefault(new Place(view.ingress(), sender), List.of())) {
      if (question.source.equals(target)) {
        question.add(answer(view, mac, sender));
      }
    }
    return null;
  }

  private static Answer answer(FrameView view, long mac, IpAddress address) {
    Answer answer = Answer.of(Answer.Aspect.REPLY, view, address);
    return new Answer(answer.aspect(), answer.link(), mac, address, answer.timeToLive(), 0, 0, 0, answer.frame());
  }

  private void note(FrameView view, long mac, IpAddress sender, IpAddress target) {
    boolean ofInterest = watched.contains(sender) || servers.contains(mac);
    if (!ofInterest || sender.isUnspecified() || overheard.size() >= MOST_OVERHEARD || isOurs(mac)) {
      return;
    }
    byte[] copy = new byte[view.length()];
    view.buffer().getBytes(view.start(), copy);
    overheard.add(new Overheard(view.ingress(), mac, sender, target, copy));
  }

  private boolean isOurs(long mac) {
    return links.stream().anyMatch(each -> each.link().mac().value() == mac);
  }

  /** Whoever asks without an address is about to take the one that he asks for (RFC 5227, 2.1.1; RFC 4862, 5.4). */
  private boolean isAnswered(int link, long asker, IpAddress sender, IpAddress target) {
    Place place = new Place(link, target);
    if (attended.contains(place)) {
      return true;
    }
    boolean lent = spares.contains(place) || gateways.contains(place) && servers.contains(asker);
    return lent && !sender.isUnspecified() && claims(link, target).findAny().isEmpty();
  }

  private byte @Nullable [] onSolicitation(FrameView view) {
    if (view.networkEnd() - view.transport() < NeighborMessage.LENGTH) {
      return null;
    }
    IpAddress source = IpAddress.v6(view.sourceHigh(), view.sourceLow());
    IpAddress target = target(view);
    long mac = view.sourceMac();
    note(view, mac, source, target);
    Link link = links.get(view.ingress()).link();
    return isAnswered(link.index(), mac, source, target) ? ProbeFrames.advertisement(link, mac, source, target) : null;
  }

  private void onAdvertisement(FrameView view) {
    if (view.networkEnd() - view.transport() < NeighborMessage.LENGTH) {
      return;
    }
    IpAddress target = target(view);
    long named = NeighborMessage.linkLayerAddress(
        view.buffer(),
        view.transport() + NeighborMessage.LENGTH,
        view.networkEnd(),
        NeighborMessage.TARGET_LINK_LAYER);
    long mac = named != NeighborMessage.NO_ADDRESS ? named : view.sourceMac();
    note(view, mac, target, target);
    for (Question question : questions.getOrDefault(new Place(view.ingress(), target), List.of())) {
      question.add(answer(view, mac, target));
    }
  }

  private static IpAddress target(FrameView view) {
    return IpAddress.v6(
        NeighborMessage.targetHigh(view.buffer(), view.transport()),
        NeighborMessage.targetLow(view.buffer(), view.transport()));
  }
}
