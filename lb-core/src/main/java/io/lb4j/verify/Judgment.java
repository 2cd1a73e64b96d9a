package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** What follows from the answers. Owned by the thread that verifies. */
final class Judgment {
  /** Of one address: who forges claims has as many MAC addresses as he likes. */
  private static final int MOST_CLAIMANTS = 8;

  private final Interview interview;
  private final Neighborhood neighborhood;
  private final Set<Long> friends = new HashSet<>();
  private final boolean active;
  private final List<Diagnosis> faults = new ArrayList<>();

  Judgment(Interview interview, Neighborhood neighborhood, Set<MacAddress> friends, boolean active) {
    this.interview = interview;
    this.neighborhood = neighborhood;
    this.active = active;
    friends.forEach(mac -> this.friends.add(mac.value()));
  }

  VerifyReport report(long refused) {
    List<String> notes = new ArrayList<>(interview.notes);
    if (refused > 0) {
      notes.add("an interface refused " + refused + " frames: what they asked may seem unanswered");
    }
    if (active) {
      judgeClaims();
    }
    List<String> names = new ArrayList<>();
    for (ServerTest server : interview.servers) {
      server.checks.forEach(check -> names.add(check.service() + "/" + check.server()));
      faults.addAll(new ServerJudgment(server, neighborhood, notes).judge());
    }
    return new VerifyReport(names.stream().distinct().toList(), faults, notes.stream().distinct().toList());
  }

  private void judgeClaims() {
    for (VerifiedLink each : interview.links) {
      int link = each.link().index();
      interview.virtual.stream()
          .filter(vip -> interview.isAskedOn(each.link(), vip))
          .forEach(vip -> judgeClaims(Fault.VIP_CLAIMED, link, vip));
      Stream.concat(each.link().gatewayAddresses().stream(), each.link().addresses().stream().map(own -> own.address()))
          .forEach(own -> judgeClaims(Fault.OWN_ADDRESS_CLAIMED, link, own));
    }
  }

  private void judgeClaims(Fault fault, int link, IpAddress address) {
    Set<Long> told = new HashSet<>();
    neighborhood.claims(link, address)
        .filter(claim -> !friends.contains(claim.mac()) && !isToHold(link, claim.mac(), address))
        .forEach(claim -> {
          if (told.size() < MOST_CLAIMANTS && told.add(claim.mac())) {
            faults.add(claimed(fault, link, claim));
          }
        });
  }

  /** What a server of Direct Server Return claims that holds the address is a fault of its own. */
  private boolean isToHold(int link, long mac, IpAddress vip) {
    return interview.servers.stream()
        .anyMatch(
            server -> server.link.index() == link
                && server.isDirect()
                && server.macs().contains(mac)
                && server.checks.stream().anyMatch(check -> check.vips().contains(vip)));
  }

  private Diagnosis claimed(Fault fault, int link, Overheard claim) {
    String name = interview.links.get(link).link().name();
    String server =
        interview.servers.stream()
            .filter(each -> each.link.index() == link && each.macs().contains(claim.mac()))
            .map(ServerTest::name)
            .findFirst()
            .orElse("");
    List<String> services =
        interview.servers.stream()
            .flatMap(each -> each.checks.stream())
            .filter(check -> fault == Fault.OWN_ADDRESS_CLAIMED || check.vips().contains(claim.sender()))
            .map(ServerCheck::service)
            .distinct()
            .toList();
    String who = MacAddress.of(claim.mac()) + (server.isEmpty() ? "" : ", the server " + server + ",");
    return new Diagnosis(
        fault,
        server,
        services,
        claim.sender(),
        0,
        who + " says on " + name + " that it has " + claim.sender(),
        List.of(Evidence.of("received", name, claim.frame())),
        List.of());
  }
}
