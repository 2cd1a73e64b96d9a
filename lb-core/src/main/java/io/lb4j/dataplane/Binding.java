package io.lb4j.dataplane;

import io.lb4j.forward.ForwardTarget;

/**
 * A real server of a service under a stable number, the only thing a flow remembers. Immutable, shared; part of a
 * {@link ForwardingTable}.
 */
public final class Binding {
  private final int id;
  private final CompiledService service;
  private final String serverName;
  private final ForwardTarget target;
  private final boolean keepsFlows;
  private final boolean takesNewFlows;

  /**
   * A server of a service.
   *
   * @param id 1 or more; kept over every change until the server is removed and its last flow has gone
   * @param service the service
   * @param serverName the server's name within it
   * @param target where its frames go
   * @param keepsFlows whether known flows go on
   * @param takesNewFlows whether the scheduler may pick it
   */
  public Binding(
      int id,
      CompiledService service,
      String serverName,
      ForwardTarget target,
      boolean keepsFlows,
      boolean takesNewFlows) {
    this.id = id;
    this.service = service;
    this.serverName = serverName;
    this.target = target;
    this.keepsFlows = keepsFlows;
    this.takesNewFlows = takesNewFlows;
  }

  /**
   * The stable number.
   *
   * @return 1 or more
   */
  public int id() {
    return id;
  }

  /**
   * The service.
   *
   * @return as compiled into the same table
   */
  public CompiledService service() {
    return service;
  }

  /**
   * The server's name.
   *
   * @return unique within the service
   */
  public String serverName() {
    return serverName;
  }

  /**
   * Where frames for the server go.
   *
   * @return address, link and next hop
   */
  public ForwardTarget target() {
    return target;
  }

  /**
   * Whether known flows, and clients that persistence knows, go on.
   *
   * @return false when the server is offline
   */
  public boolean keepsFlows() {
    return keepsFlows;
  }

  /**
   * Whether the scheduler may pick the server.
   *
   * @return true when online with a weight above 0
   */
  public boolean takesNewFlows() {
    return takesNewFlows;
  }
}
