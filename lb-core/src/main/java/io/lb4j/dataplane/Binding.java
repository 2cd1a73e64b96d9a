package io.lb4j.dataplane;

import io.lb4j.forward.ForwardTarget;
import io.lb4j.service.LostFlows;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A real server of a service under a stable number, the only thing a flow remembers. Immutable, shared, except for its
 * counts, which are safe from any thread; part of a {@link ForwardingTable}.
 */
public final class Binding {
  private final int id;
  private final CompiledService service;
  private final String serverName;
  private final ForwardTarget target;
  private final Standing standing;
  private final @Nullable ConnectionCount ownCount;
  private final @Nullable ConnectionCount serviceCount;

  /**
   * A server of a service.
   *
   * @param id 1 or more; kept over every change until the server is removed and its last flow has gone
   * @param service the service
   * @param serverName the server's name within it
   * @param target where its frames go
   * @param standing what it may be used for
   * @param ownCount its connections; null when it has no limit
   * @param serviceCount connections of all servers that share a limit with it; null when there is none
   */
  public Binding(
      int id,
      CompiledService service,
      String serverName,
      ForwardTarget target,
      Standing standing,
      @Nullable ConnectionCount ownCount,
      @Nullable ConnectionCount serviceCount) {
    this.id = id;
    this.service = service;
    this.serverName = serverName;
    this.target = target;
    this.standing = standing;
    this.ownCount = ownCount;
    this.serviceCount = serviceCount;
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
   * What the server may be used for.
   *
   * @return by activity and health
   */
  public Standing standing() {
    return standing;
  }

  /**
   * Connections under the server's own limit.
   *
   * @return nothing when it has none
   */
  public Optional<ConnectionCount> ownCount() {
    return Optional.ofNullable(ownCount);
  }

  /**
   * Connections under the limit that the server shares with others of its service.
   *
   * @return nothing when there is none
   */
  public Optional<ConnectionCount> serviceCount() {
    return Optional.ofNullable(serviceCount);
  }

  /** Whether known flows go on. */
  boolean keepsFlows() {
    return standing.keepsFlows();
  }

  /** Whether the scheduler may pick the server. */
  boolean takesNewFlows() {
    return standing.takesNewFlows();
  }

  /** What becomes of a flow of a server that does not keep it. */
  LostFlows.Fate lost() {
    return standing.lost();
  }

  boolean isBounded() {
    return ownCount != null || serviceCount != null;
  }

  /** Whether the server's own limit refuses new flows. */
  boolean isFull() {
    return ownCount != null && ownCount.isClosed();
  }

  /** Whether the limit that it shares with others does. */
  boolean isServiceFull() {
    return serviceCount != null && serviceCount.isClosed();
  }

  /** Takes a place for a new flow, under both limits or none: keep it, or give it up. */
  boolean takePlace() {
    if (serviceCount != null && serviceCount.isClosed()) {
      return false; // spares a full service's servers
    }
    if (ownCount != null && !ownCount.take()) {
      return false;
    }
    if (serviceCount != null && !serviceCount.take()) {
      if (ownCount != null) {
        ownCount.giveUp();
      }
      return false;
    }
    return true;
  }

  /** The flow that a place was taken for has begun. */
  void keepPlace() {
    if (ownCount != null) {
      ownCount.keep();
    }
    if (serviceCount != null) {
      serviceCount.keep();
    }
  }

  /** The flow that a place was taken for did not begin. */
  void giveUpPlace() {
    if (ownCount != null) {
      ownCount.giveUp();
    }
    if (serviceCount != null) {
      serviceCount.giveUp();
    }
  }

  /** Exchanges a place that was taken for one of another server; false, and it is kept, when that has none. */
  boolean movePlace(Binding other) {
    if (other.serviceCount != serviceCount) {
      boolean moved = other.takePlace();
      if (moved) {
        giveUpPlace();
      }
      return moved;
    }
    if (other.ownCount != null && !other.ownCount.take()) {
      return false;
    }
    if (ownCount != null) {
      ownCount.giveUp();
    }
    return true;
  }

  /** Counts a flow that has a place without having asked for it, or takes one away that has closed. */
  void onActiveChange(int change) {
    if (ownCount != null) {
      ownCount.add(change);
    }
    if (serviceCount != null) {
      serviceCount.add(change);
    }
  }

  /**
   * Carries one worker's flows over to the counts of another snapshot: {@code to} is counted where {@code from} is not.
   *
   * @param from the binding in the snapshot before; null when it was not there
   * @param to the same binding now; null when it is gone
   * @param active the worker's active flows of it
   */
  static void carryOver(@Nullable Binding from, @Nullable Binding to, int active) {
    carryOver(from == null ? null : from.ownCount, to == null ? null : to.ownCount, active);
    carryOver(from == null ? null : from.serviceCount, to == null ? null : to.serviceCount, active);
  }

  private static void carryOver(@Nullable ConnectionCount from, @Nullable ConnectionCount to, int active) {
    if (from == to || active == 0) {
      return;
    }
    if (from != null) {
      from.add(-active);
    }
    if (to != null) {
      to.add(active);
    }
  }
}
