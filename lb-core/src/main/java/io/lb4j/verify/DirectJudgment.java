package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.util.List;

/** What is wrong with a server that is to hold virtual addresses. Owned by the thread that verifies. */
final class DirectJudgment {
  private final ServerTest server;
  private final Neighborhood neighborhood;
  private final ServerJudgment.Verdicts verdicts;
  private final List<String> notes;

  DirectJudgment(
      ServerTest server, Neighborhood neighborhood, ServerJudgment.Verdicts verdicts, List<String> notes) {
    this.server = server;
    this.neighborhood = neighborhood;
    this.verdicts = verdicts;
    this.notes = notes;
  }

  void judge() {
    for (VipTest test : server.vips) {
      if (test.echo == null) {
        continue;
      }
      judgeMask(test);
      if (holds(test)) {
        judgeSource(test);
        judgeClaims(test);
        portsOf(test).forEach(this::judgePort);
      }
    }
  }

  private List<PortTest> portsOf(VipTest test) {
    return server.ports.stream().filter(port -> test.vip.equals(port.vip) && port.onVip != null).toList();
  }

  private void judgeMask(VipTest test) {
    boolean silent = test.nearby != null && !test.nearby.isReplied();
    boolean neighbor = test.nearby != null && server.link.isOnLink(test.nearby.source);
    boolean othersPass =
        neighbor ? server.small.isReplied() : server.clientArp != null && server.clientArp.isReplied();
    if (silent && othersPass) {
      verdicts.add(
          Fault.VIP_WRONG_MASK,
          test.vip,
          server.name() + " answers others, and not " + test.nearby.source + " beside " + test.vip
              + ": it takes that for an address of its own",
          neighbor ? server.small : server.clientArp, test.nearby);
    }
  }

  private boolean holds(VipTest test) {
    boolean speaks = test.echo.isHeardFromTarget()
        || test.echo.wrongSource() != null
        || portsOf(test).stream().anyMatch(p -> p.onVip.isHeardFromTarget() || p.onVip.wrongSource() != null);
    if (speaks) {
      return true;
    }
    boolean sentOn = test.echo.answers.stream().anyMatch(a -> a.aspect() != Answer.Aspect.REPLY);
    verdicts.add(
        Fault.VIP_MISSING,
        test.vip,
        server.name()
            + (sentOn
                ? " sends packets for " + test.vip + " on instead of keeping them"
                : " answers as " + server.address + ", and not as " + test.vip),
        server.small, test.echo);
    return false;
  }

  private void judgeSource(VipTest test) {
    if (test.echo.wrongSource() != null) {
      verdicts.add(
          Fault.REPLY_WRONG_SOURCE,
          test.vip,
          server.name() + " answers as " + test.echo.wrongSource().source() + " what was sent to " + test.vip,
          test.echo);
    }
  }

  // ---- who hears of the address? -------------------------------------------------------------------------------

  private List<Overheard> claims(IpAddress vip) {
    return neighborhood.claims(server.link.index(), vip)
        .filter(claim -> server.macs().contains(claim.mac()))
        .toList();
  }

  private void judgeClaims(VipTest test) {
    List<Overheard> answers = claims(test.vip).stream().filter(claim -> !claim.asks()).limit(2).toList();
    if (!answers.isEmpty()) {
      boolean onNic = test.vip.isV6() || test.sibling && hasSilentSibling(test);
      verdicts.add(
          onNic ? Fault.VIP_ON_NIC : Fault.SERVER_ANSWERS_ARP,
          test.vip,
          null,
          server.name() + " tells the link that " + test.vip + " is at " + MacAddress.of(server.mac()),
          answers);
    }
    List<Overheard> leaks = claims(test.vip).stream().filter(Overheard::asks).limit(2).toList();
    if (!leaks.isEmpty() && !(test.vip.isV6() && !answers.isEmpty())) {
      verdicts.add(
          Fault.VIP_LEAKED,
          test.vip,
          null,
          server.name() + " asks for " + leaks.get(0).target() + " as " + test.vip,
          leaks);
    }
  }

  /** A held address that it does not answer for shows that arp_ignore is set. */
  private boolean hasSilentSibling(VipTest test) {
    return server.vips.stream()
        .filter(other -> other != test && other.vip.isV6() == test.vip.isV6())
        .anyMatch(
            other -> other.echo != null
                && other.echo.isRepliedRightly()
                && claims(other.vip).stream().allMatch(Overheard::asks));
  }

  // ---- the services --------------------------------------------------------------------------------------------

  private void judgePort(PortTest port) {
    boolean rewritten = verdicts.has(Fault.REPLY_WRONG_SOURCE, port.vip);
    if (port.onVip.isRepliedRightly() && PortTest.isOpen(port.onVip) || rewritten) {
      return;
    }
    if (port.isHeardWithinLinkAlone()) {
      judgeWithinLink(port);
    } else if (port.onVip.wrongSource() != null) {
      judgePortSource(port);
    } else if (PortTest.isClosed(port.onVip)) {
      judgeClosed(port);
    } else if (port.isTcp() || port.onVip.answers.stream().anyMatch(Answer::saysProhibited)) {
      verdicts.add(
          Fault.SERVICE_FILTERED,
          port.vip,
          port,
          server.name() + " holds " + port.vip + ", and nothing comes from port " + port.check.port(),
          port.onVip);
    } else {
      notes.add(
          port.check.service() + "/" + server.name() + ": no answer to a datagram, so it was not seen where answers"
              + " come from; a monitor of type udp says what to send");
    }
  }

  /** Echo replies leave by the interface that the request came by; what programs answer goes by the routes. */
  private void judgeWithinLink(PortTest port) {
    if (!verdicts.has(Fault.VIP_WRONG_MASK, port.vip)) {
      verdicts.add(
          Fault.VIP_WRONG_MASK,
          port.vip,
          port.check.service() + " on " + server.name() + " answers our link-local address, and not " + server.own
              + " of its own subnet",
          port.fromLink, port.onOwn);
    }
  }

  private void judgePortSource(PortTest port) {
    verdicts.add(
        port.isTcp() ? Fault.REPLY_WRONG_SOURCE : Fault.UDP_WRONG_SOURCE,
        port.vip,
        port,
        server.name() + " answers as " + port.onVip.wrongSource().source() + " what was sent to " + port.vip + " port "
            + port.check.port(),
        port.onVip);
  }

  /** Of a datagram silence is no refusal. */
  private void judgeClosed(PortTest port) {
    boolean openBeside = port.isTcp() ? PortTest.isOpen(port.onOwn) : !PortTest.isClosed(port.onOwn);
    String where = port.check.port() + " of " + port.vip;
    verdicts.add(
        openBeside ? Fault.SERVICE_NOT_ON_VIP : Fault.PORT_CLOSED,
        port.vip,
        port,
        server.name() + " refuses port " + where + (openBeside ? ", and not that of " + server.address : ""),
        port.onVip, port.onOwn);
  }
}
