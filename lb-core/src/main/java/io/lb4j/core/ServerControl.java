package io.lb4j.core;

import io.lb4j.health.HealthReport;
import io.lb4j.service.Activity;
import io.lb4j.service.Health;
import io.lb4j.service.RealServer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A handle to change one server of a service while it runs. Safe from any thread. When the server was removed, every
 * method throws {@link io.lb4j.settings.ConfigurationException}.
 */
public final class ServerControl {
  private final LoadBalancer balancer;
  private final String service;
  private final String server;

  ServerControl(LoadBalancer balancer, String service, String server) {
    this.balancer = balancer;
    this.service = service;
    this.server = server;
  }

  private void change(UnaryOperator<RealServer> change) {
    balancer.change(service, declared -> declared.withServer(server, change));
  }

  private RealServer declared() {
    return balancer.declaration(service).requireServer(server);
  }

  /** Lets the server take new flows. */
  public void online() {
    change(declared -> declared.withActivity(Activity.ONLINE));
  }

  /** Sends the server no new flows, except those of clients that persistence knows; established flows go on. */
  public void drain() {
    change(declared -> declared.withActivity(Activity.DRAIN));
  }

  /** Sends the server nothing: its flows end. */
  public void offline() {
    change(declared -> declared.withActivity(Activity.OFFLINE));
  }

  /**
   * Changes the server's share.
   *
   * @param weight 0..65535; 0 takes no new flows
   */
  public void weight(int weight) {
    change(declared -> declared.withWeight(weight));
  }

  /**
   * Reports the server's health, for hosts that watch their servers themselves. Kept until the next report, over every
   * change that leaves the server's address as it is. Where monitors watch too, the server is down when one of both
   * says so.
   *
   * @param health what was found; {@link Health#UNKNOWN} takes the last report back
   */
  public void report(Health health) {
    report(health, "reported");
  }

  /**
   * Reports the server's health and why.
   *
   * @param health what was found; {@link Health#UNKNOWN} takes the last report back
   * @param reason a short code that events and statistics show
   */
  public void report(Health health, String reason) {
    HealthReport report =
        new HealthReport(service, declared().identity(), HealthReport.Source.HOST, health, reason, "");
    balancer.report(List.of(report));
  }

  /**
   * The health by which the server is used. Statistics tell why.
   *
   * @return {@link Health#UNKNOWN} while nobody has spoken
   */
  public Health health() {
    return balancer.health(service, declared()).health();
  }

  /**
   * Reports how long the server took to answer, for hosts that watch their servers themselves and choose by
   * {@code fastest}. Without effect on TCP services that translate addresses: there the balancer times the servers'
   * handshakes with clients.
   *
   * @param elapsed from question to answer
   */
  public void responded(Duration elapsed) {
    balancer.responded(service, declared().identity(), elapsed.toNanos());
  }

  /**
   * How long the server takes to answer, smoothed.
   *
   * @return nothing when it is not known
   */
  public Optional<Duration> responseTime() {
    long smoothedNs = balancer.responseNs(service, declared());
    return smoothedNs == 0 ? Optional.empty() : Optional.of(Duration.ofNanos(smoothedNs));
  }

  /** Lets the server take new flows while no online server can. */
  public void standby() {
    change(declared -> declared.withActivity(Activity.STANDBY));
  }

  /** Removes the server. */
  public void remove() {
    balancer.change(service, declared -> declared.withServer(server, null));
  }
}
