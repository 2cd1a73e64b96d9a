package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.topology.Link;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Everything that servers are asked, in three rounds. Owned by the thread that verifies. */
final class Interview {
  private static final IpAddress NOBODY = IpAddress.v4(0);

  private record Place(int link, IpAddress address) {}

  final List<VerifiedLink> links;
  final List<ServerTest> servers = new ArrayList<>();
  final List<String> notes = new ArrayList<>();
  /** Who has the balancer's own and virtual addresses; IPv6 and IPv4. */
  final Set<IpAddress> virtual = new LinkedHashSet<>();

  private final List<IpAddress> clients;
  private final Neighborhood neighborhood;
  private final SplittableRandom random;
  private final QuestionMaker maker;
  private final Map<Place, List<Question>> near = new HashMap<>();
  private final Map<Integer, List<Question>> anywhere = new HashMap<>();
  private SpareAddresses spares;

  Interview(
      List<VerifiedLink> links,
      List<ServerCheck> checks,
      List<IpAddress> clients,
      Neighborhood neighborhood,
      SplittableRandom random) {
    this.links = links;
    this.clients = clients;
    this.neighborhood = neighborhood;
    this.random = random;
    this.maker = new QuestionMaker(neighborhood, random);
    group(checks);
    this.spares = new SpareAddresses(neighborhood, random, known());
  }

  private void group(List<ServerCheck> checks) {
    Map<String, ServerTest> tests = new LinkedHashMap<>();
    for (ServerCheck check : checks) {
      virtual.addAll(check.vips());
      Optional<Link> link = links.stream().map(VerifiedLink::link).filter(l -> l.isOnLink(check.address())).findFirst();
      if (link.isEmpty()) {
        notes.add(check.service() + "/" + check.server() + " is behind a router, and is not asked");
        continue;
      }
      boolean direct = check.mode() == ServerCheck.Mode.DIRECT;
      IpAddress own = link.get().sourceTowards(check.address()).orElseThrow();
      tests.computeIfAbsent(check.address() + " " + direct, key -> new ServerTest(link.get(), check.address(), own))
          .checks
          .add(check);
    }
    servers.addAll(tests.values());
  }

  private Set<IpAddress> known() {
    Set<IpAddress> known = new HashSet<>(virtual);
    links.forEach(each -> each.link().addresses().forEach(own -> known.add(own.address())));
    links.forEach(each -> known.addAll(each.link().gatewayAddresses()));
    servers.forEach(server -> known.add(server.address));
    return known;
  }

  /** A client's address of a family that is in no subnet of ours; null when none was given. */
  @Nullable IpAddress client(boolean v6) {
    return clients.stream()
        .filter(each -> each.isV6() == v6 && links.stream().noneMatch(l -> l.link().isOnLink(each)))
        .findFirst()
        .orElse(null);
  }

  // ---- the first round: who is there? --------------------------------------------------------------------------

  List<Question> whoIsThere() {
    List<Question> questions = new ArrayList<>();
    for (ServerTest server : servers) {
      server.request = maker.whoHas(server.link, MacAddress.BROADCAST.value(), server.own, server.address);
      questions.add(server.request);
      if (!server.address.isV6()) {
        server.probe = maker.whoHas(server.link, MacAddress.BROADCAST.value(), NOBODY, server.address);
        questions.add(server.probe);
      }
      neighborhood.watch(server.address);
    }
    askWhoHasOurs(questions);
    for (ServerTest server : servers) {
      askForSpares(server, questions);
    }
    return questions;
  }

  private void askWhoHasOurs(List<Question> questions) {
    for (VerifiedLink each : links) {
      Link link = each.link();
      Set<IpAddress> ours = new LinkedHashSet<>(link.gatewayAddresses());
      link.addresses().stream().map(own -> own.address()).filter(own -> !own.isLinkLocal()).forEach(ours::add);
      virtual.stream().filter(vip -> isAskedOn(link, vip)).forEach(ours::add);
      for (IpAddress address : ours) {
        neighborhood.watch(address);
        IpAddress sender = address.isV6() ? each.linkLocal() : NOBODY;
        questions.add(maker.whoHas(link, MacAddress.BROADCAST.value(), sender, address));
      }
    }
  }

  /** Where a virtual address can be claimed: in its subnet, or, when it is in none, wherever its servers are. */
  boolean isAskedOn(Link link, IpAddress vip) {
    boolean inSubnet = links.stream().anyMatch(each -> each.link().isOnLink(vip));
    return inSubnet
        ? link.isOnLink(vip)
        : servers.stream()
            .anyMatch(s -> s.link == link && s.checks.stream().anyMatch(check -> check.vips().contains(vip)));
  }

  private void askForSpares(ServerTest server, List<Question> questions) {
    if (server.address.isV6()) {
      return;
    }
    if (!anywhere.containsKey(server.link.index())) {
      anywhere.put(server.link.index(), spares.anywhere(server.link, server.address));
      questions.addAll(anywhere.get(server.link.index()));
    }
    if (server.isDirect()) {
      vipsOf(server).filter(vip -> !vip.isV6() && isAskedOn(server.link, vip)).forEach(vip -> {
        Place place = new Place(server.link.index(), vip);
        if (!near.containsKey(place)) {
          near.put(place, spares.near(server.link, vip));
          questions.addAll(near.get(place));
        }
      });
    }
  }

  private static Stream<IpAddress> vipsOf(ServerTest server) {
    return server.checks.stream().flatMap(check -> check.vips().stream()).distinct();
  }

  // ---- the second round: what do they answer? ------------------------------------------------------------------

  /** In groups of servers, because there are only so many numbers for questions. */
  List<List<Question>> whatDoTheyAnswer() {
    List<List<Question>> groups = new ArrayList<>();
    List<Question> group = new ArrayList<>();
    for (ServerTest server : servers) {
      if (server.mac() != ServerTest.UNKNOWN) {
        askServer(server, group);
      }
      if (group.size() > QuestionMaker.NUMBERS / 4) {
        groups.add(group);
        group = new ArrayList<>();
      }
    }
    groups.add(group);
    return groups;
  }

  private void askServer(ServerTest server, List<Question> questions) {
    Link link = server.link;
    long mac = server.mac();
    neighborhood.watchServer(mac);
    int fullSize = ProbeFrames.fullSize(link, server.address.isV6());
    server.small = add(questions, maker.echo(link, mac, server.own, server.address, ProbeFrames.NONCE_LENGTH));
    server.big = add(questions, maker.echo(link, mac, server.own, server.address, fullSize));
    IpAddress client = client(server.address.isV6());
    if (server.address.isV6()) {
      IpAddress linkLocal = links.get(link.index()).linkLocal();
      server.linkLocal = add(questions, maker.echo(link, mac, linkLocal, server.address, ProbeFrames.NONCE_LENGTH));
    } else if (client != null) {
      server.clientArp = add(questions, maker.whoHas(link, mac, client, server.address));
    }
    if (server.isDirect()) {
      askVips(server, questions);
    } else if (server.needsGateway()) {
      askAsClient(server, client, questions);
    }
    askPorts(server, client, questions);
  }

  private static Question add(List<Question> questions, Question question) {
    questions.add(question);
    return question;
  }

  private void askVips(ServerTest server, List<Question> questions) {
    List<IpAddress> vips = vipsOf(server).toList();
    List<IpAddress> strangers =
        spares.unused(anywhere.getOrDefault(server.link.index(), List.of()));
    int next = 1; // the first one is for the last round
    for (IpAddress vip : vips) {
      VipTest test = new VipTest(vip, vips.stream().filter(other -> other.isV6() == vip.isV6()).count() > 1);
      server.vips.add(test);
      Optional<IpAddress> source = source(server, vip);
      if (source.isEmpty()) {
        notes.add(server.name() + ": no address of ours to ask for " + vip + " from");
        continue;
      }
      test.echo = add(questions, maker.echo(server.link, server.mac(), source.get(), vip, ProbeFrames.NONCE_LENGTH));
      if (!vip.isV6()) {
        askNearby(server, test, questions);
        if (next < strangers.size()) {
          IpAddress stranger = strangers.get(next++);
          test.stranger =
              add(questions, maker.echo(server.link, server.mac(), stranger, vip, ProbeFrames.NONCE_LENGTH));
        } else {
          notes.add(server.name() + ": no spare address to find out as whom it asks its neighbours");
        }
      }
    }
  }

  private void askNearby(ServerTest server, VipTest test, List<Question> questions) {
    List<IpAddress> unused = spares.unused(near.getOrDefault(new Place(server.link.index(), test.vip), List.of()));
    if (unused.isEmpty() || server.address.isV6()) {
      notes.add(server.name() + ": no spare address near " + test.vip + " to find out its prefix length");
    } else {
      test.nearby = add(questions, asNeighbor(server, unused.get(0)));
    }
  }

  /** An echo request, whose reply it has to ask the way for; beyond the subnet an ARP request, which tells less. */
  private Question asNeighbor(ServerTest server, IpAddress neighbor) {
    if (!server.link.isOnLink(neighbor)) {
      return maker.whoHas(server.link, server.mac(), neighbor, server.address);
    }
    neighborhood.attendSpare(server.link.index(), neighbor);
    return maker.echo(server.link, server.mac(), neighbor, server.address, ProbeFrames.NONCE_LENGTH);
  }

  private static Optional<IpAddress> source(ServerTest server, IpAddress towards) {
    return towards.isV6() == server.own.isV6() ? Optional.of(server.own) : server.link.sourceTowards(towards);
  }

  private void askAsClient(ServerTest server, @Nullable IpAddress client, List<Question> questions) {
    Link link = server.link;
    List<IpAddress> gateways =
        link.gatewayAddresses().stream().filter(gateway -> gateway.isV6() == server.address.isV6()).toList();
    boolean elsewhere =
        !gateways.isEmpty()
            && gateways.stream().allMatch(g -> neighborhood.claims(link.index(), g).findAny().isPresent());
    if (client == null || elsewhere) {
      notes.add(
          server.name() + ": its way to clients is not asked for, "
              + (elsewhere ? "another balancer has the gateway address" : "no client's address is free"));
      return;
    }
    gateways.forEach(gateway -> neighborhood.attendGateway(link.index(), gateway));
    server.client =
        add(questions, maker.echo(link, server.mac(), client, server.address, ProbeFrames.NONCE_LENGTH, false));
  }

  private void askPorts(ServerTest server, @Nullable IpAddress client, List<Question> questions) {
    for (ServerCheck check : server.checks) {
      if (check.port() == 0) {
        notes.add(check.service() + "/" + check.server() + ": several ports, none of them is asked");
        continue;
      }
      if (!server.isDirect()) {
        PortTest test = new PortTest(check, null);
        server.ports.add(test);
        askOwn(server, test, questions);
        if (server.client != null && client != null) {
          test.fromClient = add(questions, maker.service(server, client, server.address, check, false));
        }
        continue;
      }
      for (IpAddress vip : check.vips()) {
        PortTest test = new PortTest(check, vip);
        server.ports.add(test);
        source(server, vip).ifPresent(own -> test.onVip = add(questions, maker.service(server, own, vip, check, true)));
        askOwn(server, test, questions);
      }
    }
  }

  private void askOwn(ServerTest server, PortTest test, List<Question> questions) {
    test.onOwn = add(questions, maker.service(server, server.own, server.address, test.check, true));
    if (server.address.isV6()) {
      IpAddress linkLocal = links.get(server.link.index()).linkLocal();
      test.fromLink = add(questions, maker.service(server, linkLocal, server.address, test.check, true));
    }
  }

  // ---- the third round, where all was silent -------------------------------------------------------------------

  /**
   * Where a server answers no packet, does it answer one from an address that it cannot know? And those are asked that
   * told their MAC address too late for the second round, as many as there are numbers for.
   */
  List<Question> whatElse() {
    List<Question> questions = new ArrayList<>();
    for (ServerTest server : servers) {
      if (!server.isAsked()) {
        if (server.mac() != ServerTest.UNKNOWN && questions.size() <= QuestionMaker.NUMBERS / 4) {
          askServer(server, questions);
        }
        continue;
      }
      boolean there = server.request != null && server.request.isReplied();
      IpAddress spare = there && !server.isAlive() ? spare(server) : null;
      if (spare != null) {
        neighborhood.attendSpare(server.link.index(), spare);
        server.spare =
            add(questions, maker.echo(server.link, server.mac(), spare, server.address, ProbeFrames.NONCE_LENGTH));
      }
    }
    return questions;
  }

  /** By chance alone for IPv6: of 2^64 addresses of a subnet none is taken twice. */
  private @Nullable IpAddress spare(ServerTest server) {
    if (server.address.isV6()) {
      return server.address.isLinkLocal()
          ? null
          : IpAddress.v6(server.address.high(), random.nextLong() & ~0x0200_0000_0000_0000L);
    }
    List<IpAddress> unused = spares.unused(anywhere.getOrDefault(server.link.index(), List.of()));
    return unused.isEmpty() ? null : unused.get(0);
  }
}
