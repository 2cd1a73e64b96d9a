package io.lb4j.service;

/**
 * How a virtual service's frames reach its real servers: Direct Server Return or Gateway. The declaration that a
 * service carries; a module that implements it provides a {@code ForwarderProvider} of the same name. Immutable,
 * shared.
 */
public interface ForwardingMethod {
  /**
   * The name used in configuration files and reports.
   *
   * @return for example {@code dsr}
   */
  String name();
}
