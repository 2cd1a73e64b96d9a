package io.lb4j.examples.lab;

import static io.lb4j.examples.lab.LabFixture.assertClean;
import static io.lb4j.examples.lab.LabFixture.sources;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.lb4j.pcap.live.LiveIo;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Interfaces whose frames the kernel divides over several queues, as many as there are workers or not. Needs root. */
@Tag("root")
@Timeout(120)
final class QueuesLabTest {
  private static final LabIo PACKET = new LabIo(LiveIo.PACKET);
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
  @CsvSource({"DIRECT, 1, 3", "DIRECT, 2, 2", "GATEWAY_DUAL, 2, 3"})
  void shouldServeAllClientsThroughSeveralQueues(LabTopology topology, int workers, int queues) {
    fixture = LabFixture.up(PACKET, topology, 2, "nginx");
    String file = fixture.lab.directory().resolve("lb.yaml").toString();
    BalancerConfiguration configuration =
        new BalancerConfiguration(topology).io(PACKET).setting("workers: " + workers)
            .service("web", "tcp", PORT, "rr", "", 1, 1);
    fixture.balancer = Balancer.start(fixture.lab, "lb", configuration, List.of("sh", "-c",
        "sed -i 's/^    io:.*/&\\n    queues: " + queues + "/' " + file + "; exec \"$@\"", "sh"), List.of());
    fixture.awaitAnswers(PORT);
    for (String vip : List.of(topology.vip4(), topology.vip6())) {
      assertClean(fixture.client("connect", vip, PORT, sources(vip), REQUESTS), REQUESTS);
    }
    Map<String, Object> statistics = fixture.balancer.statistics();
    assertEquals(true, statistics.get("law"), statistics::toString);
    for (Object port : (List<?>) statistics.get("ports")) {
      assertEquals(0, ((Map<?, ?>) port).get("missed"), statistics::toString);
    }
  }
}
