package io.lb4j.core;

import java.util.List;

/**
 * How fast a balancer's counts grow, looked at once a second by control. Immutable, shared.
 *
 * <p>A rate is what was counted between two looks, divided by the time that really went by between them. What began
 * later than a window has its rate over the time since; a server that was removed and added again begins anew.
 *
 * @param interfaces all interfaces together
 * @param services all services together
 * @param active flows of all services that have not begun to close
 * @param byInterface each interface, in the order of declaration
 * @param byService each service, in the order of declaration
 */
public record Rates(
    Windows<LinkRate> interfaces,
    Windows<FlowRate> services,
    Active active,
    List<InterfaceRates> byInterface,
    List<ServiceRates> byService) {

  /**
   * Rates over the last second, ten seconds and minute, as nearly as there were looks, and the highest.
   *
   * @param second over one second
   * @param tenSeconds over ten seconds
   * @param minute over 60 seconds
   * @param peak the highest rate between two looks, each number by itself
   * @param <T> rates of an interface, or of flows
   */
  public record Windows<T>(T second, T tenSeconds, T minute, T peak) {}

  /**
   * Of an interface, each per second.
   *
   * @param received frames that came in
   * @param receivedBytes their bytes
   * @param transmitted frames the port took; where a host sends for an embedded balancer, only the balancer's own
   * @param transmittedBytes their bytes
   */
  public record LinkRate(double received, double receivedBytes, double transmitted, double transmittedBytes) {}

  /**
   * Of a server or service, each per second.
   *
   * @param frames clients' frames sent to servers
   * @param bytes their bytes
   * @param newFlows flows that servers were given
   * @param replyFrames servers' frames sent to clients, where they pass the balancer
   * @param replyBytes their bytes
   */
  public record FlowRate(double frames, double bytes, double newFlows, double replyFrames, double replyBytes) {}

  /**
   * Flows that have not begun to close.
   *
   * @param now at the last look
   * @param peak the most at any look
   */
  public record Active(long now, long peak) {}

  /**
   * Of one interface.
   *
   * @param name of the interface
   * @param rates of its frames
   */
  public record InterfaceRates(String name, Windows<LinkRate> rates) {}

  /**
   * Of one service; servers that were removed are part of its past.
   *
   * @param name of the service
   * @param rates of its servers together
   * @param active flows of its servers together
   * @param servers each of them, in the order of declaration
   */
  public record ServiceRates(String name, Windows<FlowRate> rates, Active active, List<ServerRates> servers) {}

  /**
   * Of one server of a service.
   *
   * @param name of the server
   * @param rates of its frames and flows
   * @param active its flows
   */
  public record ServerRates(String name, Windows<FlowRate> rates, Active active) {}
}
