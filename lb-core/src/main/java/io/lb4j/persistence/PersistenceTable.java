package io.lb4j.persistence;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import io.lb4j.address.IpPrefix;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;

/**
 * The clients of one service and their servers, on Caffeine: bounded, sliding expiry, shared by all workers. Safe from
 * any thread. Time is the caller's: Caffeine's ticker stands at the latest {@code nowNs} it was handed, and its upkeep
 * runs on the calling thread, so that the same calls give the same answers. Below capacity that is exact; at capacity
 * Caffeine's choice of victims depends on its own sketch.
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

  private final SourceIpPersistence settings;
  private final Cache<Client, Integer> servers;
  private long now;

  /** A client, or a network of them. */
  private record Client(boolean v6, long high, long low) {}

  /**
   * An empty table.
   *
   * @param settings time-out, prefix lengths and bound
   * @param nowNs the time
   */
  public PersistenceTable(SourceIpPersistence settings, long nowNs) {
    this.settings = settings;
    this.now = nowNs;
    Ticker ticker = () -> (long) NOW.getOpaque(this);
    this.servers =
        Caffeine.newBuilder()
            .maximumSize(settings.capacity())
            .expireAfterAccess(settings.timeout())
            .ticker(ticker)
            .executor(Runnable::run)
            .build();
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
   * @param nowNs the time
   * @return a binding id, or {@link #NONE}
   */
  public int find(boolean v6, long high, long low, long nowNs) {
    advance(nowNs);
    Integer server = servers.getIfPresent(key(v6, high, low));
    return server == null ? NONE : server;
  }

  /**
   * The server a client used last; does not count as a use.
   *
   * @param v6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param nowNs the time
   * @return a binding id, or {@link #NONE}
   */
  public int findQuietly(boolean v6, long high, long low, long nowNs) {
    advance(nowNs);
    Integer server = servers.policy().getIfPresentQuietly(key(v6, high, low));
    return server == null ? NONE : server;
  }

  /**
   * Remembers a client's server.
   *
   * @param v6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param binding of the server, not {@link #NONE}
   * @param nowNs the time
   */
  public void put(boolean v6, long high, long low, int binding, long nowNs) {
    advance(nowNs);
    servers.put(key(v6, high, low), binding);
  }

  /**
   * Restarts a client's time-out when it is still with the named server; a flow that outlived the client's move to
   * another server must not keep the new entry alive.
   *
   * @param v6 the client's family
   * @param high first 64 bits of its address, 0 for IPv4
   * @param low last 64 bits of it, or the IPv4 address
   * @param binding of the flow's server
   * @param nowNs the time
   */
  public void refresh(boolean v6, long high, long low, int binding, long nowNs) {
    advance(nowNs);
    Client client = key(v6, high, low);
    Integer server = servers.policy().getIfPresentQuietly(client);
    if (server != null && server == binding) {
      servers.getIfPresent(client);
    }
  }

  /**
   * Forgets the clients of a server.
   *
   * @param binding of the server that was removed
   */
  public void forget(int binding) {
    servers.asMap().values().removeIf(server -> server == binding);
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

  private Client key(boolean v6, long high, long low) {
    int length = v6 ? settings.v6PrefixLength() : settings.v4PrefixLength();
    return new Client(v6, high & IpPrefix.maskHigh(v6, length), low & IpPrefix.maskLow(v6, length));
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
