package io.lb4j.core;

import io.lb4j.control.ControlTask;
import io.lb4j.control.CountedService;
import io.lb4j.counters.LinkCounts;
import io.lb4j.counters.ServerCounts;
import io.lb4j.topology.Link;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Looks at all counts once a second, and tells how fast they grow. Safe from any thread; control looks. Its memory goes
 * with the servers that are declared, some kilobytes for each.
 */
final class RateSampler implements ControlTask {
  private static final long SECOND_NS = RateHistory.SECOND_NS;
  private static final long LATE_NS = SECOND_NS / 10;
  private static final int LINK_WIDTH = 4;
  private static final int SERVER_WIDTH = 5;

  private final Supplier<List<CountedService>> declared;
  private final IntFunction<LinkCounts> linkCounts;
  private final RateHistory history;
  private final List<LinkSeries> links;
  private final RateHistory.Series allLinks;
  private final RateHistory.Series allServices;
  private Map<String, RateHistory.Series> services = new LinkedHashMap<>();
  private Map<Key, ServerSeries> servers = new LinkedHashMap<>();
  private List<CountedService> seen = List.of();
  private long nextNs;

  private record Key(String service, String identity) {}

  private final class LinkSeries {
    final String name;
    final RateHistory.Series series = history.new Series(LINK_WIDTH);
    private final long[] highest = new long[LINK_WIDTH];

    LinkSeries(String name) {
      this.name = name;
    }

    void collect(LinkCounts now) {
      grow(0, now.received());
      grow(1, now.receivedBytes());
      grow(2, now.transmitted());
      grow(3, now.transmittedBytes());
    }

    /** Frames that a port took, and refused at its flush, are taken back: what they had made it is not growth again. */
    private void grow(int count, long now) {
      long by = Math.max(0, now - highest[count]);
      series.grow(count, by);
      allLinks.grow(count, by);
      highest[count] += by;
    }
  }

  private final class ServerSeries {
    final RateHistory.Series series = history.new Series(SERVER_WIDTH);
    private ServerCounts last;

    /** A server that was here before may have counts already, which are not its growth. */
    ServerSeries(ServerCounts now) {
      last = now;
    }

    /** Its growth is its service's too. */
    void collect(ServerCounts now, RateHistory.Series service) {
      grow(service, 0, now.frames() - last.frames());
      grow(service, 1, now.bytes() - last.bytes());
      grow(service, 2, now.newFlows() - last.newFlows());
      grow(service, 3, now.replyFrames() - last.replyFrames());
      grow(service, 4, now.replyBytes() - last.replyBytes());
      series.active(now.active());
      last = now;
    }

    private void grow(RateHistory.Series service, int count, long by) {
      series.grow(count, by);
      service.grow(count, by);
      allServices.grow(count, by);
    }
  }

  /**
   * Nothing seen yet.
   *
   * @param nowNs the time
   * @param links all interfaces
   * @param declared all services, and what was counted for their servers
   * @param linkCounts what an interface counts, by its index
   */
  RateSampler(
      long nowNs, List<Link> links, Supplier<List<CountedService>> declared, IntFunction<LinkCounts> linkCounts) {
    this.declared = declared;
    this.linkCounts = linkCounts;
    this.history = new RateHistory(nowNs);
    this.links = links.stream().map(link -> new LinkSeries(link.name())).toList();
    this.allLinks = history.new Series(LINK_WIDTH);
    this.allServices = history.new Series(SERVER_WIDTH);
    this.nextNs = nowNs + SECOND_NS;
    adopt();
  }

  /** Takes in what was counted, before a change: servers that go have it in their service's rates. */
  synchronized void collect() {
    long allActive = 0;
    for (CountedService service : declared.get()) {
      RateHistory.Series sum = services.get(service.name());
      long active = 0;
      for (CountedService.Server server : service.servers()) {
        ServerSeries series = servers.get(key(service, server));
        if (series != null) {
          series.collect(server.counts(), sum);
          active += server.counts().active();
        }
      }
      if (sum != null) {
        sum.active(active);
        allActive += active;
      }
    }
    allServices.active(allActive);
  }

  /** Takes over what is declared, after a change: servers that were not there before begin anew. */
  synchronized void adopt() {
    Map<Key, ServerSeries> serversBefore = servers;
    Map<String, RateHistory.Series> servicesBefore = services;
    seen = declared.get();
    servers = new LinkedHashMap<>();
    services = new LinkedHashMap<>();
    for (CountedService service : seen) {
      RateHistory.Series sum = servicesBefore.get(service.name());
      services.put(service.name(), sum != null ? sum : history.new Series(SERVER_WIDTH));
      for (CountedService.Server server : service.servers()) {
        ServerSeries known = serversBefore.get(key(service, server));
        servers.put(key(service, server), known != null ? known : new ServerSeries(server.counts()));
      }
    }
  }

  private static Key key(CountedService service, CountedService.Server server) {
    return new Key(service.name(), server.server().identity());
  }

  /** Looks when a second has gone by; a look that comes late does not make the next second shorter. */
  @Override
  public synchronized long tick(long nowNs) {
    if (nowNs - nextNs < 0) {
      return nextNs;
    }
    collect();
    for (int link = 0; link < links.size(); link++) {
      links.get(link).collect(linkCounts.apply(link));
    }
    history.look(nowNs);
    links.forEach(link -> link.series.settle());
    servers.values().forEach(server -> server.series.settle());
    services.values().forEach(RateHistory.Series::settle);
    allLinks.settle();
    allServices.settle();
    nextNs = nowNs - nextNs < LATE_NS ? nextNs + SECOND_NS : nowNs + SECOND_NS;
    return nextNs;
  }

  /** All rates at the last look. */
  synchronized Rates read() {
    List<Rates.InterfaceRates> byInterface = new ArrayList<>();
    for (LinkSeries link : links) {
      byInterface.add(new Rates.InterfaceRates(link.name, windows(link.series, RateSampler::ofLink)));
    }
    return new Rates(
        windows(allLinks, RateSampler::ofLink),
        windows(allServices, RateSampler::ofFlows),
        allServices.active(),
        byInterface,
        seen.stream().map(this::ofService).toList());
  }

  /** How many servers are remembered. */
  synchronized int serversKnown() {
    return servers.size();
  }

  private Rates.ServiceRates ofService(CountedService service) {
    RateHistory.Series sum = services.get(service.name());
    return new Rates.ServiceRates(
        service.name(),
        windows(sum, RateSampler::ofFlows),
        sum.active(),
        service.servers().stream().map(server -> ofServer(service, server)).toList());
  }

  private Rates.ServerRates ofServer(CountedService service, CountedService.Server server) {
    RateHistory.Series series = servers.get(key(service, server)).series;
    return new Rates.ServerRates(server.name(), windows(series, RateSampler::ofFlows), series.active());
  }

  private static <T> Rates.Windows<T> windows(RateHistory.Series series, Function<double[], T> type) {
    DoubleFunction<T> over = seconds -> type.apply(series.rates((long) (seconds * SECOND_NS)));
    return new Rates.Windows<>(over.apply(1), over.apply(10), over.apply(60), type.apply(series.peaks()));
  }

  private static Rates.LinkRate ofLink(double[] rates) {
    return new Rates.LinkRate(rates[0], rates[1], rates[2], rates[3]);
  }

  private static Rates.FlowRate ofFlows(double[] rates) {
    return new Rates.FlowRate(rates[0], rates[1], rates[2], rates[3], rates[4]);
  }
}
