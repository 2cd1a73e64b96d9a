package io.lb4j.forward;

import io.lb4j.address.IpPrefix;
import java.util.List;

/**
 * A forwarding method that translates addresses, so that both directions of a flow pass the balancer. Its sessions are
 * kept by a {@link Translator}, of which a worker has one for all services. Immutable, shared.
 */
public interface TranslatedForwarding extends ForwarderProvider {
  /**
   * Who makes the translator when the operator named none.
   *
   * @return the same for all services of the method
   */
  TranslatorProvider translation();

  /**
   * Addresses that the method sends from, beside the virtual ones; they have to be the balancer's alone.
   *
   * @return none for most services
   */
  List<IpPrefix> addresses();
}
