package io.lb4j.dsr;

import io.lb4j.service.VirtualService;
import io.lb4j.verify.ServerCheck;
import io.lb4j.verify.VerifiedLink;
import io.lb4j.verify.Verifier;
import java.util.List;

/**
 * Asks the servers of Direct Server Return whether they are set up right: each has to hold the virtual addresses, keep
 * silent about them on the link, and answer as them. Static.
 */
public final class DsrVerifier {
  private DsrVerifier() {}

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
        .filter(service -> service.forwarding() instanceof DirectServerReturn)
        .flatMap(service -> ServerCheck.of(service, ServerCheck.Mode.DIRECT).stream())
        .toList();
  }
}
