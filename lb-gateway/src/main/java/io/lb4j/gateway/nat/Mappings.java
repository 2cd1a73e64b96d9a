package io.lb4j.gateway.nat;

import io.lb4j.address.IpAddress;
import io.lb4j.gateway.Filtering;
import io.lb4j.gateway.MappingListener;
import io.lb4j.gateway.Outbound;
import io.lb4j.gateway.OutboundRule;
import io.lb4j.gateway.Pooling;
import io.lb4j.service.Protocol;
import io.lb4j.service.VirtualService;
import io.lb4j.wire.IpProtocol;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Mappings of inside addresses and ports to external ones, whatever the destination (RFC 4787, REQ-1), and filters:
 * whom a mapping admits. Owned by one worker.
 *
 * <p>Both are entries of the session table with a hole in the tuple, which no packet can have: a mapping is found from
 * inside by a tuple without destination and from outside by one without source, a filter by a source port 0. Each
 * counts the sessions that use it and goes with the last.
 */
final class Mappings {
  private final Outbound settings;
  private final SplittableRandom random;
  private final Map<IpAddress, PortPool> pools = new LinkedHashMap<>();
  private final PortPool[][] poolsOfRule;
  private final AddressSet external;
  private final OutboundRule[] rules;
  private Sessions sessions;
  private long nowNs;

  private final Tuple key = new Tuple();
  private final Tuple value = new Tuple();
  private final Tuple inboundScratch = new Tuple();
  private final Tuple outboundScratch = new Tuple();

  Mappings(Outbound settings, SplittableRandom random, int worker, int workers) {
    this.settings = settings;
    this.random = random;
    this.rules = settings.rules().toArray(OutboundRule[]::new);
    this.poolsOfRule = new PortPool[rules.length][];
    for (int i = 0; i < rules.length; i++) {
      poolsOfRule[i] =
          rules[i].pool().stream()
              .map(address -> pools.computeIfAbsent(address, pool -> new PortPool(pool, worker, workers)))
              .toArray(PortPool[]::new);
    }
    this.external = new AddressSet(settings.addresses());
  }

  void keepIn(Sessions table) {
    this.sessions = table;
  }

  void at(long burstNs) {
    this.nowNs = burstNs;
  }

  /** Entries that a session of a family has at most beside its two directions: its mapping's two, its filter. */
  int entriesOfASession(boolean v6) {
    int entries = 0;
    for (OutboundRule rule : rules) {
      if (rule.from().address().isV6() == v6) {
        int filter = settings.filtering() == Filtering.ADDRESS_DEPENDENT ? 1 : 0;
        entries = Math.max(entries, (rule.isRouted() ? 0 : 2) + filter);
      }
    }
    return entries;
  }

  /** A virtual address may serve as external address: its services' ports are left out. */
  void adopt(List<VirtualService> services) {
    for (PortPool pool : pools.values()) {
      pool.excludeNone();
      for (VirtualService service : services) {
        if (service.serves(pool.address())) {
          int code = service.protocol() == Protocol.TCP ? 0 : 1;
          for (int port = service.ports().first(); port <= service.ports().last(); port++) {
            pool.exclude(code, port);
          }
        }
      }
    }
  }

  /** The rule of an inside host, the longest prefix first; -1 for hosts that are not inside. */
  int ruleOf(boolean v6, long high, long low) {
    int found = -1;
    for (int i = 0; i < rules.length; i++) {
      boolean longer = found < 0 || rules[i].from().length() > rules[found].from().length();
      if (longer && rules[i].from().contains(v6, high, low)) {
        found = i;
      }
    }
    return found;
  }

  boolean isRouted(int rule) {
    return rules[rule].isRouted();
  }

  boolean hasExternal() {
    return !external.isEmpty();
  }

  boolean isExternal(boolean v6, long high, long low) {
    return external.contains(v6, high, low);
  }

  // ---- mappings ------------------------------------------------------------------------------------------------

  private Tuple inside(Tuple tuple, long high, long low, int port) {
    key.v6 = tuple.v6;
    key.protocol = tuple.protocol;
    key.sourceHigh = high;
    key.sourceLow = low;
    key.destinationHigh = 0;
    key.destinationLow = 0;
    key.ports = port << 16;
    return key;
  }

  private Tuple outside(Tuple tuple, long high, long low, int port) {
    key.v6 = tuple.v6;
    key.protocol = tuple.protocol;
    key.sourceHigh = 0;
    key.sourceLow = 0;
    key.destinationHigh = high;
    key.destinationLow = low;
    key.ports = port;
    return key;
  }

  /**
   * Writes the external address and port of an inside host's packet into its tuple; makes a mapping if there is none.
   *
   * @return false when no port is free
   */
  boolean translateSource(Tuple from, Tuple to, int rule) {
    int handle = sessions.lookup(inside(from, from.sourceHigh, from.sourceLow, from.sourcePort()));
    if (handle != Sessions.MISS) {
      sessions.becomes(handle, value);
      to.setSource(value.sourceHigh, value.sourceLow, value.sourcePort());
      return true;
    }
    return map(from, to, rule);
  }

  private boolean map(Tuple from, Tuple to, int rule) {
    int code = SessionTable.code(from.protocol);
    PortPool[] candidates = poolsOfRule[rule];
    int usual = usualPool(from, candidates.length);
    int tries = settings.pooling() == Pooling.PAIRED ? 1 : candidates.length;
    for (int i = 0; i < tries; i++) {
      PortPool pool = candidates[(usual + i) % candidates.length];
      int port = pool.take(code, from.sourcePort(), rules[rule].firstPort(), rules[rule].lastPort(), random);
      if (port != PortPool.NONE) {
        add(from, pool.address(), port);
        to.setSource(pool.address().high(), pool.address().low(), port);
        return true;
      }
    }
    settings
        .listener()
        .onExhausted(
            nowNs,
            kind(code),
            IpAddress.of(from.v6, from.sourceHigh, from.sourceLow),
            from.sourcePort(),
            candidates[usual].address());
    return false;
  }

  /** An inside host always has the same external address (RFC 4787, REQ-2), also after a restart. */
  private int usualPool(Tuple from, int count) {
    if (count == 1) {
      return 0;
    }
    long h = from.sourceLow * 0xFF51_AFD7_ED55_8CCDL;
    h = (h ^ h >>> 32 ^ from.sourceHigh) * 0xC4CE_B9FE_1A85_EC53L;
    return (int) ((h >>> 33) % count);
  }

  private void add(Tuple from, IpAddress external, int port) {
    long word = Word.of(Word.MAPPING, SessionTable.code(from.protocol), 0, sessions.tick(), 0);
    value.of(from);
    value.setSource(external.high(), external.low(), port);
    value.setDestination(0, 0, 0);
    sessions.add(inside(from, from.sourceHigh, from.sourceLow, from.sourcePort()), value, word);
    value.setSource(0, 0, 0);
    value.setDestination(from.sourceHigh, from.sourceLow, from.sourcePort());
    sessions.add(outside(from, external.high(), external.low(), port), value, word);
    settings
        .listener()
        .onMapped(
            nowNs,
            kind(SessionTable.code(from.protocol)),
            IpAddress.of(from.v6, from.sourceHigh, from.sourceLow),
            from.sourcePort(),
            external,
            port);
  }

  /**
   * Makes a mapping that another instance had, or finds it; it has lived as long as the session's packets that leave.
   *
   * @param from as the inside host sends
   * @param became what that became
   * @param rule the inside host's
   * @param leaving word of the direction that leaves
   * @return false when the pool has no such port, it is somebody else's, or the host has another one
   */
  boolean restore(Tuple from, Tuple became, int rule, long leaving) {
    int mapping = mappingOf(from);
    if (mapping == Sessions.MISS) {
      PortPool pool = pool(rule, became);
      int port = became.sourcePort();
      boolean inRange = port >= rules[rule].firstPort() && port <= rules[rule].lastPort();
      if (pool == null || !inRange || !pool.takeExactly(SessionTable.code(from.protocol), port)) {
        return false;
      }
      add(from, pool.address(), port);
      mapping = mappingOf(from);
      sessions.setWord(mapping, Word.withTickOf(sessions.word(mapping), leaving));
      return true;
    }
    sessions.becomes(mapping, value);
    prolong(mapping, leaving);
    return value.sameSource(became) && value.sourcePort() == became.sourcePort();
  }

  private @Nullable PortPool pool(int rule, Tuple became) {
    for (PortPool pool : poolsOfRule[rule]) {
      if (pool.address().high() == became.sourceHigh && pool.address().low() == became.sourceLow) {
        return pool;
      }
    }
    return null;
  }

  /** Writes the inside address and port of an inbound packet into its tuple; false without a mapping. */
  boolean translateDestination(Tuple from, Tuple to) {
    int handle =
        sessions.lookup(outside(from, from.destinationHigh, from.destinationLow, from.destinationPort()));
    if (handle == Sessions.MISS) {
      return false;
    }
    sessions.becomes(handle, value);
    to.setDestination(value.destinationHigh, value.destinationLow, value.destinationPort());
    return true;
  }

  /** A mapping that was made for a packet that was then refused goes at once. */
  void dropUnused(Tuple from) {
    int handle = sessions.lookup(inside(from, from.sourceHigh, from.sourceLow, from.sourcePort()));
    if (handle != Sessions.MISS && sessions.count(handle) == 0) {
      unmap(handle);
    }
  }

  private void unmap(int handle) {
    sessions.key(handle, key);
    sessions.becomes(handle, value);
    IpAddress inside = IpAddress.of(key.v6, key.sourceHigh, key.sourceLow);
    int insidePort = key.sourcePort();
    IpAddress external = IpAddress.of(value.v6, value.sourceHigh, value.sourceLow);
    int port = value.sourcePort();
    int code = SessionTable.code(key.protocol);
    Tuple of = value.of(key);
    sessions.remove(handle);
    sessions.remove(sessions.lookup(outside(of, external.high(), external.low(), port)));
    PortPool pool = pools.get(external);
    pool.release(code, port);
    settings.listener().onUnmapped(nowNs, kind(code), inside, insidePort, external, port);
  }

  private static MappingListener.Kind kind(int code) {
    return code == 0
        ? MappingListener.Kind.TCP
        : code == 1 ? MappingListener.Kind.UDP : MappingListener.Kind.ICMP;
  }

  // ---- filters -------------------------------------------------------------------------------------------------

  private Tuple filter(Tuple inbound) {
    key.of(inbound);
    key.ports = inbound.destinationPort();
    return key;
  }

  /**
   * Whether an inbound packet that belongs to no session is admitted.
   *
   * @param inbound its tuple as it came
   */
  boolean admits(Tuple inbound) {
    return switch (settings.filtering()) {
      case ENDPOINT_INDEPENDENT -> true;
      case ADDRESS_DEPENDENT -> sessions.lookup(filter(inbound)) != Sessions.MISS;
      case ADDRESS_AND_PORT_DEPENDENT -> false;
    };
  }

  // ---- counting ------------------------------------------------------------------------------------------------

  /** A session began: its mapping and its filter are in use. */
  void onBegin(Tuple first, Tuple became, boolean fromInside) {
    count(first, became, fromInside, 1);
  }

  /** A session ended. */
  void onEnd(Tuple first, Tuple became) {
    boolean fromInside =
        isRouted(first, became) ? ruleOf(first.v6, first.sourceHigh, first.sourceLow) >= 0 : !first.sameSource(became);
    count(first, became, fromInside, -1);
  }

  private static boolean isRouted(Tuple first, Tuple became) {
    return first.sameSource(became) && first.sameDestination(became);
  }

  private void count(Tuple first, Tuple became, boolean fromInside, int change) {
    Tuple inbound = fromInside ? inboundScratch.reverse(became) : inboundScratch.of(first);
    boolean query = SessionTable.code(inbound.protocol) == SessionTable.code(IpProtocol.ICMP);
    if (settings.filtering() == Filtering.ADDRESS_DEPENDENT && fromInside && !query) {
      countFilter(inbound, change);
    }
    if (isRouted(first, became)) {
      return; // it uses no mapping, though its host may have one from the same port
    }
    int handle = mappingOf(fromInside ? outboundScratch.of(first) : outboundScratch.reverse(became));
    if (handle != Sessions.MISS) {
      int uses = sessions.count(handle) + change;
      assert uses >= 0 : "a mapping without its sessions";
      sessions.setCount(handle, uses);
      if (uses == 0) {
        unmap(handle);
      }
    }
  }

  /** The mapping of an inside host's packet. */
  private int mappingOf(Tuple outbound) {
    return sessions.lookup(inside(outbound, outbound.sourceHigh, outbound.sourceLow, outbound.sourcePort()));
  }

  // ---- life ----------------------------------------------------------------------------------------------------

  /** Strangers do not prolong a mapping that admits everybody: what it owes its life to is remembered. */
  private boolean keepsTime() {
    return settings.filtering() == Filtering.ENDPOINT_INDEPENDENT && !settings.inboundRefresh();
  }

  /** The sweep found a session alive: its mapping has lived as long as packets left. */
  void onAlive(int session) {
    if (!keepsTime()) {
      return;
    }
    sessions.key(session, outboundScratch);
    sessions.becomes(session, inboundScratch);
    if (isRouted(outboundScratch, inboundScratch)) {
      return;
    }
    boolean fromInside = !outboundScratch.sameSource(inboundScratch);
    int leaving = fromInside ? session : sessions.twin(session);
    int mapping = mappingOf(fromInside ? outboundScratch : outboundScratch.reverse(inboundScratch));
    if (leaving != Sessions.MISS && mapping != Sessions.MISS) {
      prolong(mapping, sessions.word(leaving));
    }
  }

  private void prolong(int mapping, long word) {
    long own = sessions.word(mapping);
    if (Word.age(word, sessions.tick()) < Word.age(own, sessions.tick())) {
      sessions.setWord(mapping, Word.withTickOf(own, word));
    }
  }

  /** The word of a session that somebody outside begins: it lives no longer than what packets leaving allow. */
  long begunOutside(long word, Tuple first, Tuple became) {
    if (!keepsTime() || isRouted(first, became)) {
      return word;
    }
    int mapping = mappingOf(outboundScratch.reverse(became));
    return mapping == Sessions.MISS ? word : Word.withTickOf(word, sessions.word(mapping));
  }

  /** An inside host's packet begins another session of its mapping. */
  void begunInside(Tuple first) {
    int mapping = keepsTime() ? mappingOf(first) : Sessions.MISS;
    if (mapping != Sessions.MISS) {
      sessions.setWord(mapping, Word.withTick(sessions.word(mapping), sessions.tick()));
    }
  }

  private void countFilter(Tuple inbound, int change) {
    int handle = sessions.lookup(filter(inbound));
    if (handle == Sessions.MISS) {
      value.of(key);
      value.setDestination(0, 0, 0);
      handle = sessions.add(key, value, Word.of(Word.NOTE, SessionTable.code(key.protocol), 0, 0, 0));
    }
    int uses = sessions.count(handle) + change;
    if (uses == 0) {
      sessions.remove(handle);
    } else {
      sessions.setCount(handle, uses);
    }
  }
}
