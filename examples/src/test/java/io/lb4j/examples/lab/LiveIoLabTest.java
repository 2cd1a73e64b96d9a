package io.lb4j.examples.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lb4j.pcap.live.LiveIo;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A round of each mode and arm over the ways of exchanging frames that the other labs go only when told to, see {@link
 * LabIo#PROPERTY}. Needs root.
 */
@Tag("root")
@Timeout(90)
final class LiveIoLabTest {
  private static final int WEB = 80;
  private static final int BULK = 5201;
  private static final int BULK_BYTES = 8 << 20;

  @ParameterizedTest
  @CsvSource({"PCAP, DIRECT", "PCAP, GATEWAY_DUAL", "PCAP, GATEWAY_SINGLE",
      "XDP, DIRECT", "XDP, GATEWAY_DUAL", "XDP, GATEWAY_SINGLE"})
  void shouldCarryPagesAndBulkBothWays(LiveIo way, LabTopology topology) {
    LabIo io = new LabIo(way);
    try (LabFixture fixture = LabFixture.bulk(io, topology, 1, "nginx", "curl", "iperf3")) {
      fixture.balance(
          new BalancerConfiguration(topology)
              .io(io)
              .service("web", "tcp", WEB, "rr", "", 1)
              .service("bulk", "tcp", BULK, "rr", "", 1),
          WEB);
      assertTrue(fixture.balancer.output().contains("eth0: io " + io), fixture.balancer::output);
      assertCarries(fixture, topology.vip4());
      assertCarries(fixture, topology.vip6());
      Map<String, Object> statistics = fixture.balancer.statistics();
      assertEquals(true, statistics.get("law"), statistics::toString);
      assertEquals(0, statistics.get("refused"), statistics::toString);
    }
  }

  private static void assertCarries(LabFixture fixture, String vip) {
    String host = vip.contains(":") ? "[" + vip + "]" : vip;
    Outcome page = fixture.lab.exec("cl", "curl", "-sg", "--max-time", "5", "http://" + host + "/");
    assertTrue(page.ok() && page.output().startsWith("s1 "), page::output);
    Outcome download = fixture.lab.exec("cl", "curl", "-sg", "--max-time", "10", "-o", "/dev/null", "-w",
        "%{size_download}", "http://" + host + "/1m");
    assertEquals(Integer.toString(LabServers.DOWNLOAD_BYTES), download.output());
    Outcome upload = fixture.lab.exec("cl", "iperf3", "-c", vip, "-n", Integer.toString(BULK_BYTES),
        "--connect-timeout", "3000");
    assertTrue(upload.ok() && upload.output().contains("receiver"), upload::output);
  }
}
