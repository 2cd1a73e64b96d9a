package io.lb4j.forward;

import io.lb4j.address.IpPrefix;
import io.lb4j.service.VirtualService;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import io.lb4j.topology.Topology;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/** The rules of address translation for a whole balancer. Immutable, shared; asked by the control thread. */
public interface TranslatorProvider {
  /**
   * Checks the rules against the network and the services; asked again for every change of the services.
   *
   * @param topology interfaces and routes
   * @param services all services, of whichever method
   * @param capacity sessions that a worker's translator has to keep
   * @throws ConfigurationException naming setting, value and remedy
   */
  void check(Topology topology, Collection<VirtualService> services, int capacity);

  /**
   * Tells what is doubtful about the rules and yet done.
   *
   * @param topology interfaces and routes
   * @param services all services, of whichever method
   * @param findings takes warnings
   */
  default void lint(Topology topology, Collection<VirtualService> services, Consumer<Finding> findings) {}

  /**
   * Hosts that may start traffic through the balancer.
   *
   * @return their prefixes; none unless overridden
   */
  default List<IpPrefix> insideHosts() {
    return List.of();
  }

  /**
   * Those of them that keep their addresses, and so are reached from outside by these.
   *
   * @return their prefixes; none unless overridden
   */
  default List<IpPrefix> routedHosts() {
    return List.of();
  }

  /**
   * Addresses that traffic is sent from: the balancer's alone, answered for by ARP and neighbour discovery.
   *
   * @return addresses and prefixes, none when nothing is translated
   */
  List<IpPrefix> addresses();

  /**
   * Which worker a frame belongs to.
   *
   * @param seed equal for all threads of a balancer
   * @param workers 2 or more
   * @param services all services
   * @return safe from any thread
   */
  Steering steering(long seed, int workers, Collection<VirtualService> services);

  /**
   * The sessions of one worker.
   *
   * @param context what the translator works with
   * @return owned by that worker
   */
  Translator newTranslator(TranslatorContext context);
}
