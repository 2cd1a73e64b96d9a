package io.lb4j.pcap.host;

import io.lb4j.pcap.os.NetDevice;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the balancer's frames from the kernel beside it, by rules of nftables at the interfaces' ingress. Packet
 * sockets and libpcap see frames before these rules do. So a virtual address may be assigned to the host without resets
 * to clients, and a host that forwards packets does not send the balancer's a second time. Frames to the host's own
 * addresses stay the kernel's. Safe from any thread.
 *
 * <p>Dropped for the kernel are frames, ARP requests and neighbour solicitations for the balancer's own addresses; and,
 * unless they are to the host, a group or everybody, frames from inside and to inside hosts that are routed.
 *
 * <p>The rules are a table of their own, named by {@link #table()}, that the kernel removes with the process: also when
 * that is killed. Others cannot change it, and {@code nft flush ruleset} spares it. Needs the program {@code nft}
 * 0.9.9, Linux 5.12 and the capability CAP_NET_ADMIN; holds a child process {@code nft -i} while it stands.
 */
public final class KernelShield implements AutoCloseable {
  private static final Logger LOGGER = LoggerFactory.getLogger(KernelShield.class);
  private static final Pattern COUNTER = Pattern.compile("counter packets ([0-9]+)");

  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String table;
  private final ShieldRules rules;
  private volatile NftSession session; // used under the lock of this
  private volatile boolean closed;

  private KernelShield(String table, ShieldRules rules, BalancerAddresses addresses) {
    this.table = table;
    this.rules = rules;
    begin(addresses);
  }

  /**
   * Raises a shield, all of it at once, in the network namespace of the process.
   *
   * @param interfaces the system's names, one or more
   * @param addresses of the balancer
   * @return the shield; the caller closes it, after the balancer
   * @throws PortException NOT_PERMITTED: CAP_NET_ADMIN is missing; NOT_SUPPORTED: nft is missing, or it or the kernel
   *     is too old; SYSTEM: anything else
   */
  public static KernelShield raise(Collection<String> interfaces, BalancerAddresses addresses) {
    List<String> names = interfaces.stream().map(KernelShield::checked).toList();
    int number = COUNT.incrementAndGet();
    String table =
        "lb4j_" + ProcessHandle.current().pid() + "_" + names.get(0).replaceAll("[^A-Za-z0-9_]", "_")
            + (number == 1 ? "" : "_" + number);
    return new KernelShield(table, new ShieldRules(table, names), addresses);
  }

  /** All of it, by a child process of its own. */
  private synchronized void begin(BalancerAddresses addresses) {
    session = NftSession.start();
    try {
      run(rules.create(addresses, true));
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
    session.onEnd(this::onEnd);
  }

  private static String checked(String name) {
    if (name.isEmpty() || name.indexOf('"') >= 0 || name.chars().anyMatch(Character::isISOControl)) {
      throw new PortException(Cause.NOT_FOUND, "no interface has the name '" + name + "'");
    }
    return name;
  }

  /**
   * The rules as a file for {@code nft -f}, for who loads them without this class.
   *
   * @param interfaces the system's names, one or more
   * @param addresses of the balancer
   * @return commands, one a line; they make the table {@code lb4j} anew, which nobody removes
   */
  public static String text(Collection<String> interfaces, BalancerAddresses addresses) {
    ShieldRules rules = new ShieldRules("lb4j", interfaces.stream().map(KernelShield::checked).toList());
    return String.join("\n", rules.createAnew(addresses)) + "\n";
  }

  /**
   * Covers other addresses from now on, without a moment in which it covers none. A shield that fell because somebody
   * ended its child process is raised anew.
   *
   * @param addresses of the balancer, all of them
   * @throws PortException when the kernel refuses; what was covered is covered still
   */
  public synchronized void cover(BalancerAddresses addresses) {
    if (closed || session.isAlive()) {
      run(rules.replace(addresses));
    } else {
      begin(addresses);
    }
  }

  /**
   * Covers an interface that was removed and is there again.
   *
   * @param interfaceName one of those that the shield was raised with
   * @throws PortException NOT_FOUND: it is not there; otherwise as {@link #raise}
   */
  public synchronized void renew(String interfaceName) {
    if (!rules.covers(interfaceName)) {
      throw new IllegalArgumentException("the shield was not raised with an interface " + interfaceName);
    }
    NetDevice.open(interfaceName).close(); // tells better than nft that there is none
    run(rules.hangAgain(interfaceName));
  }

  private synchronized List<String> run(List<String> lines) {
    List<String> printed = session.run(lines);
    if (!printed.isEmpty()) {
      throw NftSession.failure(printed);
    }
    return printed;
  }

  /**
   * How many frames were kept from the kernel.
   *
   * @return since the shield was raised, but for solicitations of addresses that were covered before; 0 when it is down
   */
  public synchronized long kept() {
    if (closed || !session.isAlive()) {
      return 0;
    }
    Matcher counters = COUNTER.matcher(String.join("\n", session.run(List.of("list table netdev " + table))));
    return counters.results().mapToLong(counter -> Long.parseLong(counter.group(1))).sum();
  }

  /**
   * The name of its table, of the family netdev.
   *
   * @return {@code lb4j_}, the process and the first interface: lb4j_4711_eth0; with a number after the process's first
   */
  public String table() {
    return table;
  }

  /**
   * Whether it stands.
   *
   * @return false once it was closed, or somebody ended its child process
   */
  public boolean isUp() {
    return !closed && session.isAlive();
  }

  private void onEnd() {
    if (!closed) {
      LOGGER.error(
          "{}: the process nft has ended, and the shield with it: the kernel sees the balancer's frames; the next change"
              + " of addresses, or SIGHUP to lb run, raises it anew",
          table);
    }
  }

  /** Takes the rules away. Closing twice is harmless. */
  @Override
  public void close() {
    closed = true;
    synchronized (this) {
      session.close();
    }
  }
}
