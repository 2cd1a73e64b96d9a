package io.lb4j.forward;

import io.lb4j.address.IpAddress;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Topology;
import java.util.Collection;
import java.util.function.Consumer;

/**
 * A forwarding method with its implementation: {@link DirectForwarding} or {@link TranslatedForwarding}. Immutable,
 * shared; asked by the control thread whenever a configuration is compiled.
 */
public interface ForwarderProvider extends ForwardingMethod {
  /**
   * Checks a service against the method's rules.
   *
   * @param service to be forwarded
   * @param topology interfaces and routes
   * @throws ConfigurationException naming setting, value and remedy
   */
  void check(VirtualService service, Topology topology);

  /**
   * Tells what is doubtful about a service and yet forwarded.
   *
   * @param service that passed {@link #check}
   * @param all services, this one among them
   * @param topology interfaces and routes
   * @param findings takes warnings
   */
  default void lint(
      VirtualService service, Collection<VirtualService> all, Topology topology, Consumer<Finding> findings) {}

  /**
   * Where frames for a server are sent first: the server itself, or a router.
   *
   * @param server of a service that passed {@link #check}
   * @param topology interfaces and routes
   * @return an address on one of the links
   */
  IpAddress nextHop(RealServer server, Topology topology);

  /**
   * How long flows live where the service does not say.
   *
   * @return the method's defaults
   */
  FlowTimeouts timeouts();
}
