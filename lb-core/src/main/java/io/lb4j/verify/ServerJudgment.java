package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is wrong with one server. A fault that explains others ends the search: who is not there lacks nothing else.
 * Owned by the thread that verifies.
 */
final class ServerJudgment {
  private final ServerTest server;
  private final Neighborhood neighborhood;
  private final Verdicts verdicts;
  private final List<String> notes;

  ServerJudgment(ServerTest server, Neighborhood neighborhood, List<String> notes) {
    this.server = server;
    this.neighborhood = neighborhood;
    this.notes = notes;
    this.verdicts = new Verdicts(server);
  }

  List<Diagnosis> judge() {
    if (isThere() && answersPackets()) {
      boolean detour = judgeSubnet();
      judgeSize();
      if (server.isDirect()) {
        judgeClients();
        new DirectJudgment(server, neighborhood, verdicts, notes).judge();
      } else {
        new GatewayJudgment(server, neighborhood, verdicts, detour).judge();
      }
    }
    return verdicts.list();
  }

  // ---- is it there? --------------------------------------------------------------------------------------------

  private boolean isThere() {
    if (!server.isAsked()) {
      String late = server.mac() == ServerTest.UNKNOWN ? "" : " in time";
      verdicts.add(
          Fault.SERVER_SILENT, server.address,
          "nobody on " + server.link.name() + " answers for " + server.address + late, server.request);
      return false;
    }
    if (server.macs().size() > 1) {
      String macs = String.join(" and ", server.macs().stream().map(mac -> MacAddress.of(mac).toString()).toList());
      verdicts.add(
          Fault.SERVER_ADDRESS_DUPLICATE, server.address, macs + " answer for " + server.address, server.request,
          server.probe);
    }
    return knowsUs();
  }

  /** A server that answers nobody's ARP probe, and not our request, does not take us for a neighbour. */
  private boolean knowsUs() {
    if (server.request.isReplied()) {
      return true;
    }
    boolean clientsPass = server.clientArp != null && server.clientArp.isReplied();
    if (clientsPass && server.isDirect() && !server.vips.isEmpty()) {
      verdicts.add(
          Fault.VIP_WRONG_MASK,
          server.vips.get(0).vip,
          server.name() + " answers a client's ARP request, and not that of its neighbour " + server.own
              + ": it takes that for an address of its own",
          server.clientArp, server.request);
    } else {
      verdicts.add(
          Fault.STRICT_RP_FILTER,
          server.address,
          server.name() + " answers an ARP probe, and not the ARP request of " + server.own
              + ": it does not want frames from there by this interface",
          server.probe, server.request);
    }
    return false;
  }

  // ---- does it answer packets? ---------------------------------------------------------------------------------

  private boolean answersPackets() {
    if (server.isAlive()) {
      return true;
    }
    if (server.small.astray != null) {
      verdicts.add(
          Fault.SERVER_HAS_WRONG_MAC,
          server.own,
          server.name() + " sends what is for " + server.own + " to another MAC address than ours",
          server.small);
      return false;
    }
    if (server.linkLocal != null && server.linkLocal.isReplied()) {
      IpAddress vip = server.vips.isEmpty() ? server.address : server.vips.get(0).vip;
      verdicts.add(
          server.isDirect() ? Fault.VIP_WRONG_MASK : Fault.SERVER_WRONG_SUBNET,
          vip,
          server.name() + " answers our link-local address, and not " + server.own + " of its own subnet",
          server.linkLocal, server.small);
    } else if (server.spare != null && server.spare.isReplied()) {
      verdicts.add(
          Fault.SERVER_HAS_WRONG_MAC,
          server.own,
          server.name() + " answers " + server.spare.source + ", and not " + server.own + ", at the same MAC address",
          server.spare, server.small);
    } else {
      verdicts.add(
          Fault.SERVER_FILTERED,
          server.address,
          server.name() + " is at " + MacAddress.of(server.mac()) + ", and answers no packet from " + server.own,
          server.request, server.small);
    }
    return false;
  }

  /** Whether its answers come by way of somebody else. */
  private boolean judgeSubnet() {
    Answer reply = server.small.reply();
    if (reply == null || server.macs().contains(reply.mac())) {
      return false;
    }
    verdicts.add(
        Fault.SERVER_WRONG_SUBNET,
        server.address,
        "answers of " + server.name() + " to its neighbour " + server.own + " come from " + MacAddress.of(reply.mac()),
        server.small);
    return true;
  }

  private void judgeSize() {
    boolean fragments = server.big.first(Answer.Aspect.FRAGMENT) != null;
    boolean lost = server.small.isReplied() && !server.big.isReplied();
    if (lost || fragments) {
      boolean tooBig = server.big.answers.stream().anyMatch(Answer::saysTooBig);
      String how = fragments ? "is answered in fragments" : tooBig ? "is too big" : "stays unanswered";
      verdicts.add(
          Fault.MTU_TOO_SMALL,
          server.address,
          "an echo request of " + server.link.mtu() + " bytes to " + server.name() + " " + how
              + ", a small one is answered",
          server.small, server.big);
    }
  }

  private void judgeClients() {
    boolean silent = server.clientArp != null && !server.clientArp.isReplied();
    if (silent && server.looksLikeLinux()) {
      verdicts.add(
          Fault.STRICT_RP_FILTER,
          server.address,
          server.name() + " answers ARP requests of its neighbours, and not those from " + server.clientArp.source
              + ": it does not want frames of clients by this interface",
          server.request, server.clientArp);
    }
  }

  /** Faults of one server, with what shows them. */
  static final class Verdicts {
    private final ServerTest server;
    private final List<Diagnosis> list = new ArrayList<>();

    Verdicts(ServerTest server) {
      this.server = server;
    }

    List<Diagnosis> list() {
      return list;
    }

    boolean has(Fault fault, IpAddress address) {
      return list.stream().anyMatch(each -> each.fault() == fault && each.address().equals(address));
    }

    void add(Fault fault, IpAddress address, String text, @Nullable Question... evidence) {
      add(fault, address, null, text, List.of(), evidence);
    }

    void add(Fault fault, IpAddress address, PortTest port, String text, @Nullable Question... evidence) {
      add(fault, address, port, text, List.of(), evidence);
    }

    void add(
        Fault fault,
        IpAddress address,
        @Nullable PortTest port,
        String text,
        List<Overheard> overheard,
        @Nullable Question... questions) {
      List<Evidence> evidence = new ArrayList<>();
      for (Question question : questions) {
        if (question != null) {
          evidence.add(question.asked());
          question.answers.stream().limit(2).map(question::evidence).forEach(evidence::add);
          Stream.ofNullable(question.astray).map(question::evidence).forEach(evidence::add);
        }
      }
      overheard.forEach(one -> evidence.add(Evidence.of("received", server.link.name(), one.frame())));
      list.add(
          new Diagnosis(
              fault,
              server.name(),
              port == null ? concerned(address) : List.of(port.check.service()),
              address,
              port == null ? 0 : port.check.port(),
              text,
              evidence,
              Remedies.of(fault, server, address, port)));
    }

    /** The services of a virtual address; all of the server where it is about none. */
    private List<String> concerned(IpAddress address) {
      List<String> ofVip =
          server.checks.stream()
              .filter(check -> check.vips().contains(address))
              .map(ServerCheck::service)
              .distinct()
              .toList();
      return ofVip.isEmpty() ? server.services() : ofVip;
    }
  }

  /** The first of the questions that was answered from another address than was asked; null when none was. */
  static @Nullable Question wronglyAnswered(@Nullable Question... questions) {
    return Stream.of(questions)
        .filter(question -> question != null && question.wrongSource() != null)
        .findFirst()
        .orElse(null);
  }
}
