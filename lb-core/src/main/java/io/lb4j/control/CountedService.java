package io.lb4j.control;

import io.lb4j.counters.ServerCounts;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.List;

/**
 * A service, and by what its servers are counted. Immutable, shared.
 *
 * @param service as declared
 * @param servers in order of declaration
 */
public record CountedService(VirtualService service, List<Server> servers) {
  /**
   * One of its servers.
   *
   * @param server as declared
   * @param binding the number that its flows carry
   * @param baseline what was counted under that number before the server had it
   */
  public record Server(RealServer server, int binding, ServerCounts baseline) {
    /**
     * The server's name.
     *
     * @return as declared
     */
    public String name() {
      return server.name();
    }
  }

  /**
   * The service's name.
   *
   * @return as declared
   */
  public String name() {
    return service.name();
  }
}
