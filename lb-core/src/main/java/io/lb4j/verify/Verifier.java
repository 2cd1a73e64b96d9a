package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * Asks real servers, on the wire, whether they are set up right. Beside a balancer that runs, or alone. Owned by one
 * thread, which it keeps for about two seconds; a second longer for every few hundred servers.
 *
 * <p>It sends ARP requests and probes, neighbour solicitations, echo requests, SYNs, which it resets, and datagrams,
 * from addresses of the balancer's interfaces. Three kinds of frames have other sources: from a client's address,
 * because that is what servers get; from an address near the virtual one and another anywhere in the subnet, both of
 * which nobody answered for a moment before. It never announces an address, and never answers for a virtual one.
 */
public final class Verifier {
  /** Whose addresses are usually asked as: of documentation, so that they are no real client's. */
  public static final List<IpAddress> USUAL_CLIENTS =
      Stream.of("198.51.100.254", "203.0.113.254", "192.0.2.254", "2001:db8:ffff:ffff::fe", "2001:db8:fffe:ffff::fe")
          .map(IpAddress::of)
          .toList();

  private final List<VerifiedLink> links;
  private final List<ServerCheck> checks;
  private final Set<MacAddress> friends = new HashSet<>();
  private List<IpAddress> clients;
  private long seed = 1;
  private boolean active = true;
  private LongSupplier nanoTime = System::nanoTime;

  private Verifier(List<VerifiedLink> links, List<ServerCheck> checks) {
    this.links = List.copyOf(links);
    this.checks = List.copyOf(checks);
    this.clients = USUAL_CLIENTS;
  }

  /**
   * A verification.
   *
   * @param links the balancer's interfaces, in the order of their indices, with open ports
   * @param checks servers and what they are to do
   * @return with the usual options
   */
  public static Verifier of(List<VerifiedLink> links, List<ServerCheck> checks) {
    return new Verifier(links, checks);
  }

  /**
   * The clock; the system's unless this is called.
   *
   * @param clock nanoseconds
   * @return this
   */
  public Verifier clock(LongSupplier clock) {
    nanoTime = clock;
    return this;
  }

  /**
   * The source of ports, sequence numbers and spare addresses.
   *
   * @param newSeed another one each time, unless the same frames are wanted
   * @return this
   */
  public Verifier seed(long newSeed) {
    seed = newSeed;
    return this;
  }

  /**
   * Whose claims on virtual addresses are right: the other balancer of a pair.
   *
   * @param mac its MAC address
   * @return this
   */
  public Verifier friend(MacAddress mac) {
    friends.add(mac);
    return this;
  }

  /**
   * Says whether the virtual addresses are ours now.
   *
   * @param isActive false while another instance has them: then nobody is a stranger to them
   * @return this
   */
  public Verifier active(boolean isActive) {
    active = isActive;
    return this;
  }

  /**
   * The addresses of clients to ask as; {@link #USUAL_CLIENTS} unless this is called. One of each family that is in no
   * subnet of the balancer is used.
   *
   * @param addresses that servers reach by the same way as real clients
   * @return this
   */
  public Verifier clients(List<IpAddress> addresses) {
    clients = List.copyOf(addresses);
    return this;
  }

  /**
   * Asks, and judges.
   *
   * @return what was found
   */
  public VerifyReport run() {
    Neighborhood neighborhood = new Neighborhood(links);
    Wire wire = new Wire(links, neighborhood, nanoTime);
    try {
      Interview interview = new Interview(links, checks, clients, neighborhood, new SplittableRandom(seed));
      wire.ask(interview.whoIsThere());
      interview.whatDoTheyAnswer().forEach(wire::ask);
      List<Question> more = interview.whatElse();
      if (!more.isEmpty()) {
        wire.ask(more);
      }
      Judgment judgment = new Judgment(interview, neighborhood, friends, active);
      return judgment.report(wire.refused());
    } finally {
      wire.close();
    }
  }
}
