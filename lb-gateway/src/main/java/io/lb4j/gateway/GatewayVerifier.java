package io.lb4j.gateway;

import io.lb4j.service.VirtualService;
import io.lb4j.verify.ServerCheck;
import io.lb4j.verify.VerifiedLink;
import io.lb4j.verify.Verifier;
import java.util.List;

/**
 * Asks the servers of the gateway whether they are set up right: their service has to listen, and what they answer to
 * clients has to come by way of the balancer. With full NAT they answer the balancer, and need no gateway. Static.
 */
public final class GatewayVerifier {
  private GatewayVerifier() {}

  /**
   * A verification, ready to run.
   *
   * @param links the balancer's interfaces, with open ports
   * @param services those of other methods are left out
   * @return with the usual options
   */
  public static Verifier of(List<VerifiedLink> links, List<VirtualService> services) {
    return Verifier.of(links, checks(services));
  }

  /**
   * What there is to ask.
   *
   * @param services those of other methods are left out
   * @return each server of each service, unless it is offline
   */
  public static List<ServerCheck> checks(List<VirtualService> services) {
    return services.stream()
        .filter(service -> service.forwarding() instanceof Gateway)
        .flatMap(service -> ServerCheck.of(service, mode((Gateway) service.forwarding())).stream())
        .toList();
  }

  private static ServerCheck.Mode mode(Gateway gateway) {
    return gateway.sources().isEmpty() ? ServerCheck.Mode.GATEWAY : ServerCheck.Mode.FULL_NAT;
  }
}
