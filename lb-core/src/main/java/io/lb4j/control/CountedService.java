package io.lb4j.control;

import io.lb4j.counters.ServerCounts;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.List;

/**
 * A service, and what was counted for its servers. Immutable, shared.
 *
 * @param service as declared
 * @param servers in order of declaration
 */
public record CountedService(VirtualService service, List<Server> servers) {
  /**
   * One of its servers.
   *
   * @param server as declared
   * @param counts what was counted for it, flows of a former method included
   */
  public record Server(RealServer server, ServerCounts counts) {
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
