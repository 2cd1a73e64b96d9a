package io.lb4j.verify;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.topology.Link;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * IPv4 addresses that nobody uses, to ask as a neighbour that a server does not know. Candidates are asked for by ARP
 * probes (RFC 5227); one that stays silent is spare. None is ever announced. Owned by the thread that verifies.
 */
final class SpareAddresses {
  private static final int NEAR = 4;
  private static final int ANYWHERE = 8;

  private final Neighborhood neighborhood;
  private final SplittableRandom random;
  private final Set<IpAddress> known;
  private final Set<IpAddress> taken = new HashSet<>();

  SpareAddresses(Neighborhood neighborhood, SplittableRandom random, Set<IpAddress> known) {
    this.neighborhood = neighborhood;
    this.random = random;
    this.known = known;
  }

  /** Begins to ask for neighbours of a virtual address: those that a wrong prefix takes in first. */
  List<Question> near(Link link, IpAddress vip) {
    List<Question> questions = new ArrayList<>();
    for (int distance = 1; distance <= 2 * NEAR && questions.size() < NEAR; distance++) {
      add(questions, link, IpAddress.v4((int) vip.low() ^ distance));
    }
    return questions;
  }

  /** Begins to ask for addresses anywhere in the subnet of an address, other ones each time. */
  List<Question> anywhere(Link link, IpAddress address) {
    List<Question> questions = new ArrayList<>();
    Optional<InterfaceAddress> own =
        link.addresses().stream().filter(each -> each.network().contains(address)).findFirst();
    if (own.isEmpty() || own.get().prefixLength() > 29) {
      return questions;
    }
    int hosts = 1 << Math.min(16, 32 - own.get().prefixLength());
    for (int i = 0; i < 64 && questions.size() < ANYWHERE; i++) {
      add(questions, link, IpAddress.v4((int) own.get().network().address().low() + random.nextInt(1, hosts - 1)));
    }
    return questions;
  }

  private void add(List<Question> questions, Link link, IpAddress candidate) {
    int last = (int) candidate.low() & 0xFF;
    if (last == 0 || last == 255 || isEnd(link, candidate) || known.contains(candidate) || !taken.add(candidate)) {
      return;
    }
    IpAddress nobody = IpAddress.v4(0);
    byte[] frame = ProbeFrames.arpRequest(link, MacAddress.BROADCAST.value(), nobody, candidate);
    Question question = Question.whoHas(link, frame, nobody, candidate);
    neighborhood.watch(candidate);
    neighborhood.expect(question);
    questions.add(question);
  }

  /** A subnet's first and last address are no host's: servers drop what has one as source (RFC 1122, 3.2.1.3). */
  private static boolean isEnd(Link link, IpAddress candidate) {
    return link.addresses().stream()
        .filter(own -> own.network().contains(candidate))
        .anyMatch(own -> {
          int hosts = (1 << 32 - own.prefixLength()) - 1;
          int host = (int) candidate.low() & hosts;
          return own.prefixLength() < 31 && (host == 0 || host == hosts);
        });
  }

  /** Which of the candidates nobody has. */
  List<IpAddress> unused(List<Question> candidates) {
    return candidates.stream().filter(this::isUnused).map(candidate -> candidate.target).toList();
  }

  private boolean isUnused(Question candidate) {
    return !candidate.isReplied()
        && neighborhood.claims(candidate.link.index(), candidate.target).findAny().isEmpty();
  }
}
