package io.lb4j.examples.lab;

import static io.lb4j.examples.lab.LabFixture.assertClean;
import static io.lb4j.examples.lab.LabFixture.sources;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.pcap.live.LiveIo;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Interfaces whose frames the kernel, or with AF_XDP the device, divides over several queues, as many as there are
 * workers or not. libpcap has one. Needs root.
 */
@Tag("root")
@Timeout(120)
final class QueuesLabTest {
  private static final int PORT = 80;
  private static final int REQUESTS = 200;

  private LabFixture fixture;

  @AfterEach
  void down() {
    if (fixture != null) {
      fixture.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "PACKET, DIRECT, 1, 3", "PACKET, DIRECT, 2, 2", "PACKET, GATEWAY_DUAL, 2, 3",
    "XDP, DIRECT, 1, 2", "XDP, DIRECT, 2, 2", "XDP, GATEWAY_DUAL, 2, 2"
  })
  void shouldServeAllClientsThroughSeveralQueues(LiveIo way, LabTopology topology, int workers, int queues) {
    LabIo io = new LabIo(way);
    fixture = LabFixture.bulk(io, topology, 2, "nginx");
    List<String> devices = topology == LabTopology.GATEWAY_DUAL ? List.of("eth0", "eth1") : List.of("eth0");
    if (way == LiveIo.XDP) {
      devices.forEach(device -> divide(device, queues));
    }
    fixture.balance(
        new BalancerConfiguration(topology).io(io).queues(queues).setting("workers: " + workers)
            .service("web", "tcp", PORT, "rr", "", 1, 1),
        PORT);
    for (String vip : List.of(topology.vip4(), topology.vip6())) {
      assertClean(fixture.client("connect", vip, PORT, sources(vip), REQUESTS), REQUESTS);
    }
    Map<String, Object> statistics = fixture.balancer.statistics();
    assertEquals(true, statistics.get("law"), statistics::toString);
    for (Object port : (List<?>) statistics.get("ports")) {
      assertEquals(0, ((Map<?, ?>) port).get("missed"), statistics::toString);
    }
    boolean alone = workers == queues && !topology.isGateway();
    assertEquals(alone ? 0 : queues * devices.size(), threads("lb4j-receive"), fixture.balancer.process().threads()::toString);
    assertEquals(workers, threads("lb4j-worker-"), fixture.balancer.process().threads()::toString);
    for (String device : devices) {
      if (way == LiveIo.XDP) {
        assertEveryQueueWasUsed(device, queues);
      } else {
        assertEveryQueueIsOpen(device, queues);
      }
    }
  }

  /**
   * Each queue has a receiver, or a worker that receives for itself. Without asking the balancer, or the device, which
   * gives its frames away just as well when one receiver takes those of all queues.
   */
  private long threads(String beginning) {
    return fixture.balancer.process().threads().stream().filter(name -> name.startsWith(beginning)).count();
  }

  /**
   * Two sockets each that receive, for frames of the MTU and for super-frames, and one of the port that receives nothing;
   * one that no worker reads from would have left clients without answers.
   */
  private void assertEveryQueueIsOpen(String device, int queues) {
    String index = fixture.lab.must("lb", "cat", "/sys/class/net/" + device + "/ifindex").strip();
    String sockets = fixture.lab.must("lb", "cat", "/proc/net/packet");
    long open = sockets.lines().map(line -> line.strip().split(" +"))
        .filter(words -> words[3].equals("0003") && words[4].equals(index)).count();
    assertEquals(2 * queues + 1, open, sockets);
  }

  /** Queues of the device, and at the other end of its cable as many that send to them. */
  private void divide(String device, int queues) {
    String count = Integer.toString(queues);
    fixture.lab.must("lb", "ethtool", "-L", device, "rx", count, "tx", count);
    fixture.lab.must("sw", "ethtool", "-L", LabNetwork.switchPort("lb", device), "rx", count, "tx", count);
  }

  private void assertEveryQueueWasUsed(String device, int queues) {
    String counters = fixture.lab.must("lb", "ethtool", "-S", device);
    for (int queue = 0; queue < queues; queue++) {
      String name = "rx_queue_" + queue + "_xdp_redirect: ";
      long given = counters.lines().map(String::strip).filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.substring(name.length()))).sum();
      assertTrue(given > REQUESTS / 4, () -> name + given + "\n" + counters);
    }
  }
}
