package io.lb4j.examples.live;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.service.Plan;
import io.lb4j.topology.Link;
import java.util.List;

/**
 * The services of a balancer and the file they come from. Safe from any thread: changes are made one after the other,
 * each as a whole or not at all.
 */
public final class RunningConfiguration {
  private static final int ATTEMPTS = 10;

  private final LoadBalancer balancer;
  private final Host host;
  private Configuration configuration;
  private boolean draining;

  /**
   * The configuration of a balancer that has no kernel beside it.
   *
   * @param balancer built from it
   * @param configuration as it was read
   */
  public RunningConfiguration(LoadBalancer balancer, Configuration configuration) {
    this(balancer, configuration, Host.NONE);
  }

  RunningConfiguration(LoadBalancer balancer, Configuration configuration, Host host) {
    this.balancer = balancer;
    this.host = host;
    this.configuration = configuration;
  }

  /**
   * The balancer.
   *
   * @return as given
   */
  public LoadBalancer balancer() {
    return balancer;
  }

  /**
   * What runs now: the settings as they were read, the services as they are by now.
   *
   * @return immutable
   */
  public synchronized Configuration current() {
    return configuration.withServices(balancer.services());
  }

  /**
   * What a file leaves to a restart.
   *
   * @param next read, and checked key by key
   * @return keys of the top level that differ from what runs
   */
  public synchronized List<String> restartSettings(Configuration next) {
    return configuration.restartSettings(next);
  }

  /**
   * Finds out what a file would change.
   *
   * @param next read, and checked key by key
   * @return its plan, which can be applied
   * @throws ConfigurationFileException with everything that forbids it, each with its line
   */
  public synchronized Plan plan(Configuration next) throws ConfigurationFileException {
    Plan plan = balancer.plan(next.services());
    if (!plan.isApplicable()) {
      throw next.refused(plan.errors());
    }
    List<IpPrefix> hidden = host.hidden(next);
    new Rehearsal(next, link -> addresses(link, hidden)).build().close(); // would it start?
    host.check(next);
    return plan;
  }

  /** Those that an interface was opened with: the host has no others of it for us, and none while it is away. */
  private List<InterfaceAddress> addresses(InterfaceDeclaration link, List<IpPrefix> hidden) {
    return balancer.topology().links().stream()
        .filter(own -> own.name().equals(link.name()))
        .findFirst()
        .map(Link::addresses)
        .orElseGet(() -> Rehearsal.hostAddresses(link.name(), hidden));
  }

  /**
   * Does what a file says about services.
   *
   * @param next read, and checked key by key
   * @return what was done
   * @throws ConfigurationFileException with everything that forbids it; nothing has changed then
   */
  public synchronized Plan apply(Configuration next) throws ConfigurationFileException {
    if (draining) {
      throw new IllegalStateException("the balancer is about to end: nothing is applied any more");
    }
    for (int attempt = 1; ; attempt++) {
      Plan plan = plan(next);
      Configuration wanted = configuration.withServices(next.services());
      host.prepare(current(), wanted);
      try {
        if (isApplied(plan, attempt)) {
          configuration = wanted;
          return plan;
        }
      } finally {
        host.settle(current());
      }
    }
  }

  /** Sends no server new flows, for good. */
  synchronized void drain() {
    draining = true;
    for (int attempt = 1; ; attempt++) {
      Plan plan = balancer.plan(balancer.services().stream().map(Draining::drained).toList());
      if (isApplied(plan, attempt)) {
        return;
      }
    }
  }

  /** False when a server was changed since the plan was made: it is made anew. */
  private boolean isApplied(Plan plan, int attempt) {
    try {
      if (!plan.services().equals(balancer.services())) {
        balancer.apply(plan);
      }
      return true;
    } catch (IllegalStateException e) {
      if (attempt == ATTEMPTS) {
        throw e;
      }
      return false;
    }
  }
}
