package io.lb4j.state;

import io.lb4j.address.IpPrefix;
import java.util.Optional;

/**
 * Which remembered clients are meant. Every condition has to hold; one that is not given always does. Immutable,
 * shared.
 *
 * @param client network that holds the client, or a part of it where networks count as one client
 * @param server name of the client's real server within the service
 */
public record ClientFilter(Optional<IpPrefix> client, Optional<String> server) {
  private static final ClientFilter ALL = new ClientFilter(Optional.empty(), Optional.empty());

  /**
   * Every client.
   *
   * @return a filter to add conditions to
   */
  public static ClientFilter all() {
    return ALL;
  }

  /**
   * Whether there is no condition.
   *
   * @return true for {@link #all()}
   */
  public boolean isAll() {
    return equals(ALL);
  }

  /**
   * Some clients.
   *
   * @param network that they are in
   * @return a new filter
   */
  public ClientFilter client(IpPrefix network) {
    return new ClientFilter(Optional.of(network), server);
  }

  /**
   * The clients of a server.
   *
   * @param name of the server
   * @return a new filter
   */
  public ClientFilter server(String name) {
    return new ClientFilter(client, Optional.of(name));
  }

  boolean matches(ClientEntry entry) {
    return client.filter(network -> !network.overlaps(entry.client())).isEmpty()
        && server.filter(name -> !name.equals(entry.server())).isEmpty();
  }
}
