package io.lb4j.control;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import io.lb4j.neighbor.NeighborListener;
import io.lb4j.topology.Topology;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes events of what the link layer notices. Safe from any thread. */
public final class NeighborEvents implements NeighborListener {
  private final Topology topology;
  private final EventListener events;

  /**
   * A source of events that name interfaces.
   *
   * @param topology knows their names
   * @param events takes the events
   */
  public NeighborEvents(Topology topology, EventListener events) {
    this.topology = topology;
    this.events = events;
  }

  private String name(int link) {
    return topology.links().get(link).name();
  }

  @Override
  public void neighborFound(int link, IpAddress address, MacAddress mac) {
    events.onEvent(new Event.NeighborFound(name(link), address, mac));
  }

  @Override
  public void neighborLost(int link, IpAddress address, @Nullable MacAddress mac) {
    events.onEvent(new Event.NeighborLost(name(link), address, Optional.ofNullable(mac)));
  }

  @Override
  public void neighborMoved(int link, IpAddress address, MacAddress from, MacAddress to, int changes) {
    events.onEvent(new Event.NeighborMoved(name(link), address, from, to, changes));
  }

  @Override
  public void virtualAddressClaimed(int link, IpAddress address) {
    events.onEvent(new Event.VirtualAddressClaimed(name(link), address));
  }

  @Override
  public void virtualAddressConflict(int link, IpAddress address, MacAddress other, boolean claimed) {
    events.onEvent(new Event.VirtualAddressConflict(name(link), address, other, claimed));
  }

  /** A router is no server: of it the conflict tells enough. */
  @Override
  public void serverClaims(int link, IpAddress server, MacAddress mac, IpAddress address, boolean asking) {
    if (topology.routes().stream().noneMatch(route -> route.via().equals(server))) {
      String code = address.isV6() ? "vip-on-nic" : asking ? "vip-leaked" : "server-answers-arp";
      String how = asking ? " asks for neighbours as " : " answers for ";
      String text = mac + how + address;
      events.onEvent(new Event.ServerSetupFault(code, name(link), server, address, text));
    }
  }

  @Override
  public void wrongSource(int link, IpAddress server, MacAddress mac, IpAddress source) {
    String text = mac + " answers clients as " + source;
    events.onEvent(new Event.ServerSetupFault("reply-wrong-source", name(link), server, server, text));
  }
}
