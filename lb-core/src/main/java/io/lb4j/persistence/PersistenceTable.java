package io.lb4j.persistence;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.RemovalCause;
import com.github.benmanes.caffeine.cache.Ticker;
import io.lb4j.address.IpPrefix;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The clients of one service, or of several that share them, and their servers, on Caffeine: bounded, sliding expiry,
 * shared by all workers. Safe from any thread. Time is the caller's: Caffeine's ticker stands at the latest {@code
 * nowNs} it was handed, and its upkeep runs on the calling thread, so that the same calls give the same answers. Below
 * capacity that is exact; at capacity Caffeine's choice of victims depends on its own sketch.
 *
 * <p>Servers are numbers that control gives out; all who share the table mean the same server by the same number.
 *
 * <p>A hit allocates one key of 32 bytes and Caffeine's own bookkeeping; new flows only come here.
 */
public final class PersistenceTable {
  /** The answer for a client that is not known. */
  public static final int NONE = 0;

  private static final VarHandle NOW;

  static {
    try {
      NOW = MethodHandles.lookup().findVarHandle(PersistenceTable.class, "now", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** A use is recorded again after so small a part of the time-out. */
  private static final int USES_PER_TIMEOUT = 64;

  private static final AtomicInteger IDS = new AtomicInteger();

  private final int id = IDS.incrementAndGet();
  private final AtomicInteger changes = new AtomicInteger();
  private final SourceIpPersistence settings;
  private final boolean byPort;
  private final long mask4;
  private final long maskHigh6;
  private final long maskLow6;
  private final long freshNs;
  private final Cache<Client, Integer> servers;
  private final Policy.VarExpiration<Client, Integer> expiration;
  private long now;

  /** A client, or a network of them; with the port in the lower 16 bits where ports count. */
  private record Client(int familyAndPort, long high, long low) {
    private static final int V6 = 1 << 16;
    private static final long SEED = new SecureRandom().nextLong();

    /** Keyed: what clients there are strangers can choose, but not into which bin of a map they fall. */
    @Override
    public int hashCode() {
      long h = (high ^ SEED) * 0xFF51_AFD7_ED55_8CCDL;
      h = (h ^ h >>> 32 ^ low) * 0xC4CE_B9FE_1A85_EC53L;
      h = (h ^ h >>> 32 ^ familyAndPort) * 0xFF51_AFD7_ED55_8CCDL;
      return (int) (h >>> 32);
    }

    boolean v6() {
      return (familyAndPort & V6) != 0;
    }

    int port() {
      return familyAndPort & 0xFFFF;
    }
  }

  /** Takes what a table holds. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Takes a client.
     *
     * @param v6 the client's family
     * @param high first 64 bits of its network's address, 0 for IPv4
     * @param low last 64 bits of it, or the IPv4 address
     * @param port that it uses; 0 where ports do not count
     * @param server its server's number
     * @param remainingNs until it is forgotten, unless it comes again
     * @return whether to go on
     */
    boolean visit(boolean v6, long high, long low, int port, int server, long remainingNs);
  }

  /** Every use restarts the time-out; only a client that is taken over may begin with less. */
  private record Sliding(long timeoutNs) implements Expiry<Client, Integer> {
    @Override
    public long expireAfterCreate(Client client, Integer server, long nowNs) {
      return timeoutNs;
    }

    @Override
    public long expireAfterUpdate(Client client, Integer server, long nowNs, long remainingNs) {
      return timeoutNs;
    }

    @Override
    public long expireAfterRead(Client client, Integer server, long nowNs, long remainingNs) {
      return timeoutNs;
    }
  }

  /**
   * An empty table.
   *
   * @param settings time-out, prefix lengths, bound and scope
   * @param nowNs the time
   */
  public PersistenceTable(SourceIpPersistence settings, long nowNs) {
    this.settings = settings;
    this.byPort = settings.scope() == PersistenceScope.PORT;
    this.mask4 = IpPrefix.maskLow(false, settings.v4PrefixLength());
    this.maskHigh6 = IpPrefix.maskHigh(true, settings.v6PrefixLength());
    this.maskLow6 = IpPrefix.maskLow(true, settings.v6PrefixLength());
    this.freshNs = settings.timeout().toNanos() / USES_PER_TIMEOUT;
    this.now = nowNs;
    Ticker ticker = () -> (long) NOW.getOpaque(this);
    this.servers =
        Caffeine.newBuilder()
            .maximumSize(settings.capacity())
            .expireAfter(new Sliding(settings.timeout().toNanos()))
            .ticker(ticker)
            .executor(Runnable::run)
            .evictionListener((client, server, cause) -> onEviction(cause))
            .build();
    this.expiration = servers.policy().expireVariably().orElseThrow();
  }

  /**
   * The settings.
   *
   * @return as given
   */
  public SourceIpPersistence settings() {
    return settings;
  }

  /**
   * The server a client used last; counts as a use.
   *
   * @param v6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param port that it uses now
   * @param nowNs the time
   * @return the server's number, or {@link #NONE}
   */
  public int find(boolean v6, long high, long low, int port, long nowNs) {
    advance(nowNs);
    Integer server = servers.getIfPresent(key(v6, high, low, port));
    return server == null ? NONE : server;
  }

  /**
   * The server a client used last; does not count as a use.
   *
   * @param v6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param port that it uses now
   * @param nowNs the time
   * @return the server's number, or {@link #NONE}
   */
  public int findQuietly(boolean v6, long high, long low, int port, long nowNs) {
    advance(nowNs);
    Integer server = servers.policy().getIfPresentQuietly(key(v6, high, low, port));
    return server == null ? NONE : server;
  }

  /**
   * Remembers a client's server, unless the client is with another one by now than when that was chosen: of a client's
   * first flows, which several workers may begin at once, one decides for all. Counts as a use.
   *
   * @param v6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param port that it uses now
   * @param before what the table answered then, a number that gives way, or {@link #NONE}
   * @param server the server's number, not {@link #NONE}
   * @param nowNs the time
   * @return the number of the client's server from now on
   */
  public int put(boolean v6, long high, long low, int port, int before, int server, long nowNs) {
    advance(nowNs);
    Client client = key(v6, high, low, port);
    while (true) {
      Integer known = servers.asMap().putIfAbsent(client, server);
      if (known == null) {
        return server;
      }
      if (known == server || known != before) {
        return known;
      }
      if (servers.asMap().replace(client, known, server)) {
        changes.incrementAndGet();
        return server;
      }
    }
  }

  /**
   * Restarts a client's time-out when it is still with the named server; a flow that outlived the client's move to
   * another server must not keep the new entry alive.
   *
   * @param v6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param port that the flow uses
   * @param server number of the flow's server
   * @param nowNs the time
   */
  public void refresh(boolean v6, long high, long low, int port, int server, long nowNs) {
    advance(nowNs);
    Client client = key(v6, high, low, port);
    Integer known = servers.policy().getIfPresentQuietly(client);
    if (known != null && known == server) {
      servers.getIfPresent(client);
    }
  }

  /**
   * Takes over a client that was remembered elsewhere, unless it is known here and was seen here later.
   *
   * @param v6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param port that it used; 0 where ports do not count
   * @param server the server's number here, not {@link #NONE}
   * @param remainingNs until it is to be forgotten; at most the time-out counts
   * @param nowNs the time
   * @return whether it was taken over
   */
  public boolean restore(boolean v6, long high, long low, int port, int server, long remainingNs, long nowNs) {
    advance(nowNs);
    Client client = key(v6, high, low, port);
    long remaining = Math.min(remainingNs, settings.timeout().toNanos());
    if (remaining <= 0) {
      return false;
    }
    if (servers.policy().getIfPresentQuietly(client) == null) {
      return expiration.putIfAbsent(client, server, Duration.ofNanos(remaining)) == null;
    }
    if (remainingNs(client) >= remaining) {
      return false;
    }
    expiration.put(client, server, Duration.ofNanos(remaining));
    changes.incrementAndGet();
    return true;
  }

  /**
   * Takes over all clients of another table that tells them apart in the same way.
   *
   * @param other the other table
   * @param nowNs the time
   */
  public void restoreAll(PersistenceTable other, long nowNs) {
    other.visit(
        nowNs,
        (v6, high, low, port, server, remainingNs) -> {
          restore(v6, high, low, port, server, remainingNs, nowNs);
          return true;
        });
  }

  /**
   * Shows all clients, each once; those that come or go meanwhile are shown or not. Does not count as a use.
   *
   * @param nowNs the time
   * @param visitor is shown them in no order
   */
  public void visit(long nowNs, Visitor visitor) {
    advance(nowNs);
    for (var entry : servers.asMap().entrySet()) {
      Client client = entry.getKey();
      long remainingNs = remainingNs(client);
      if (remainingNs > 0
          && !visitor.visit(
              client.v6(), client.high, client.low, client.port(), entry.getValue(), remainingNs)) {
        return;
      }
    }
  }

  private long remainingNs(Client client) {
    return expiration.getExpiresAfter(client, TimeUnit.NANOSECONDS).orElse(0);
  }

  /**
   * Forgets one client, if it is still with the named server.
   *
   * @param v6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param port that it uses
   * @param server number of its server
   * @return whether it was forgotten
   */
  public boolean forget(boolean v6, long high, long low, int port, int server) {
    boolean forgotten = servers.asMap().remove(key(v6, high, low, port), server);
    if (forgotten) {
      changes.incrementAndGet();
    }
    return forgotten;
  }

  /**
   * Forgets the clients of some servers.
   *
   * @param numbers of servers that were removed
   */
  public void forgetServers(Set<Integer> numbers) {
    servers.asMap().values().removeIf(numbers::contains);
    changes.incrementAndGet();
  }

  /**
   * Clients remembered, after Caffeine's upkeep.
   *
   * @return 0..capacity
   */
  public long size() {
    servers.cleanUp();
    return servers.estimatedSize();
  }

  /** A number of this table's own. */
  int id() {
    return id;
  }

  /** An entry that is too old is fresh nowhere. */
  private void onEviction(RemovalCause cause) {
    if (cause == RemovalCause.SIZE) {
      changes.incrementAndGet();
    }
  }

  /** Changes whenever a client that was known is forgotten by a command or for want of room, or has another server. */
  int changes() {
    return changes.get();
  }

  /** How long a use need not be recorded again. */
  long freshNs() {
    return freshNs;
  }

  boolean isByPort() {
    return byPort;
  }

  private Client key(boolean v6, long high, long low, int port) {
    return new Client((v6 ? Client.V6 : 0) | (byPort ? port : 0), high & maskHigh(v6), low & maskLow(v6));
  }

  /** What of an address's first 64 bits tells clients apart. */
  long maskHigh(boolean v6) {
    return v6 ? maskHigh6 : 0;
  }

  /** What of an address's last 64 bits, or of an IPv4 address, does. */
  long maskLow(boolean v6) {
    return v6 ? maskLow6 : mask4;
  }

  /** Only forwards: a worker that is behind the others must not turn the shared clock back. */
  private void advance(long nowNs) {
    if (nowNs - (long) NOW.getOpaque(this) > 0) {
      NOW.setOpaque(this, nowNs);
    }
  }

  @Override
  public String toString() {
    return "persistence of " + Objects.toString(settings.timeout());
  }
}
