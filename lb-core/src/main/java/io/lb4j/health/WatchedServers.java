package io.lb4j.health;

import io.lb4j.counters.HandshakeCounts;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import java.util.List;

/** What control tells of its servers, and is told about them. Called by the control thread alone. */
public interface WatchedServers {
  /**
   * Counts the changes of declarations.
   *
   * @return another number after each change
   */
  long declarations();

  /**
   * All services.
   *
   * @return in order of declaration
   */
  List<VirtualService> services();

  /**
   * How much of its share of the new flows a server gets now.
   *
   * @param service name of its service
   * @param server the server
   * @param nowNs the time
   * @return 1; less than that in slow start; 0 while it is down, or others take all new flows
   */
  double share(String service, RealServer server, long nowNs);

  /**
   * What the data path has seen of a server's handshakes.
   *
   * @param service name of its service
   * @param server the server
   * @return the sum over all workers
   */
  HandshakeCounts handshakes(String service, RealServer server);

  /**
   * Takes over what was found.
   *
   * @param reports in the order in which it was found; not empty
   */
  void report(List<HealthReport> reports);

  /**
   * Learns how long a server took to answer the first of its monitors.
   *
   * @param service name of its service
   * @param identity the server's
   * @param elapsedNs from question to answer
   * @param nowNs the time
   */
  void responded(String service, String identity, long elapsedNs, long nowNs);
}
