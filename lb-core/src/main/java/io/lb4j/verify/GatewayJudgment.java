package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** What is wrong with a server that is to answer by way of the balancer. Owned by the thread that verifies. */
final class GatewayJudgment {
  private final ServerTest server;
  private final Neighborhood neighborhood;
  private final ServerJudgment.Verdicts verdicts;
  private final boolean detour; // its answers come by way of somebody else in any case

  GatewayJudgment(
      ServerTest server, Neighborhood neighborhood, ServerJudgment.Verdicts verdicts, boolean detour) {
    this.server = server;
    this.neighborhood = neighborhood;
    this.verdicts = verdicts;
    this.detour = detour;
  }

  void judge() {
    judgeSource();
    if (server.client != null) {
      judgeWay();
    }
    server.ports.forEach(this::judgePort);
  }

  private void judgeSource() {
    Question own = ServerJudgment.wronglyAnswered(
        Stream.concat(Stream.of(server.small, server.client), server.ports.stream().flatMap(port -> Stream.of(
                port.onOwn, port.fromClient).filter(Objects::nonNull)))
            .toArray(Question[]::new));
    if (own != null) {
      verdicts.add(
          Fault.REPLY_WRONG_SOURCE,
          server.address,
          server.name() + " answers as " + own.wrongSource().source() + " what was sent to " + server.address,
          own);
    }
  }

  /** All that was sent as a client, and answered. */
  private List<Question> answeredToClient() {
    return Stream.concat(Stream.of(server.client), server.ports.stream().map(port -> port.fromClient))
        .filter(question -> question != null && !question.answers.isEmpty())
        .toList();
  }

  private void judgeWay() {
    List<Question> answered = answeredToClient();
    if (answered.isEmpty()) {
      List<Overheard> asks = othersAskedFor();
      verdicts.add(
          Fault.GATEWAY_NOT_US,
          server.address,
          null,
          server.name() + " answers " + server.own + ", and its answer to the client " + server.client.source
              + " does not come to us"
              + (asks.isEmpty() ? "" : "; it asks for " + asks.get(0).target() + ", perhaps its gateway"),
          asks,
          server.small, server.client);
      return;
    }
    for (Question question : answered) {
      for (Answer answer : question.answers) {
        if (!server.macs().contains(answer.mac()) && !detour) {
          verdicts.add(
              Fault.GATEWAY_DETOUR,
              server.address,
              "answers of " + server.name() + " to clients come from " + MacAddress.of(answer.mac()) + ", not from "
                  + MacAddress.of(server.mac()),
              question);
          return;
        }
      }
    }
  }

  private List<Overheard> othersAskedFor() {
    return neighborhood.questionsOf(server.link.index(), server.mac())
        .filter(ask -> !isOurs(ask.target()))
        .limit(2)
        .toList();
  }

  private boolean isOurs(IpAddress address) {
    return server.link.owns(address)
        || server.link.gatewayAddresses().contains(address)
        || address.equals(server.link.mac().linkLocal());
  }

  private void judgePort(PortTest port) {
    Question own = port.onOwn;
    if (own.wrongSource() != null || PortTest.isOpen(own)) {
      return;
    }
    if (port.isHeardWithinLinkAlone()) {
      judgeWithinLink(port);
    } else if (PortTest.isClosed(own)) {
      verdicts.add(
          Fault.PORT_CLOSED,
          server.address,
          port,
          server.name() + " refuses port " + port.check.port() + " of " + server.address,
          own);
    } else if (port.isTcp() || own.answers.stream().anyMatch(Answer::saysProhibited)) {
      judgeSilent(port);
    }
  }

  private void judgeWithinLink(PortTest port) {
    if (!verdicts.has(Fault.SERVER_WRONG_SUBNET, server.address)) {
      verdicts.add(
          Fault.SERVER_WRONG_SUBNET,
          server.address,
          port.check.service() + " on " + server.name() + " answers our link-local address, and not " + server.own
              + " of its own subnet",
          port.fromLink, port.onOwn);
    }
  }

  private void judgeSilent(PortTest port) {
    if (!PortTest.isOpen(port.fromClient)) {
      verdicts.add(
          Fault.SERVICE_FILTERED,
          server.address,
          port,
          server.name() + " answers otherwise, and nothing comes from port " + port.check.port(),
          port.onOwn);
    }
  }
}
