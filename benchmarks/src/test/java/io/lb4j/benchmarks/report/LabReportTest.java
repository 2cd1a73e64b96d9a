package io.lb4j.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabReportTest {
  private final List<String> lines = new ArrayList<>();

  private void peer(String subject, String what, double... rates) {
    for (int round = 1; round <= rates.length; round++) {
      lines.add(
          "{\"table\": \"peers\", \"round\": " + round + ", \"topology\": \"dual\", \"subject\": \"" + subject
              + "\", \"what\": \"" + what + "\", \"rate\": " + rates[round - 1] + ", \"amount\": 1000, \"p99Ms\": 4.0"
              + ", \"balancer\": 0.5, \"softirq\": 0.25, \"all\": 2.0}");
    }
  }

  private void trip(String subject, double p50) {
    lines.add("{\"table\": \"roundtrip\", \"round\": 1, \"subject\": \"" + subject
        + "\", \"load\": \"idle\", \"p50Us\": " + p50 + ", \"p99Us\": 99.5}");
  }

  private void direct(String subject, String what, double... rates) {
    for (int round = 1; round <= rates.length; round++) {
      lines.add("{\"table\": \"peers\", \"round\": " + round + ", \"topology\": \"direct\", \"subject\": \"" + subject
          + "\", \"what\": \"" + what + "\", \"rate\": " + rates[round - 1] + "}");
    }
  }

  private Map<String, String> sections() throws IOException {
    return LabReport.sections(new LabLines(lines), new Properties());
  }

  @Test
  void shouldFormRatiosWithinARound() throws IOException {
    peer("nft-dnat", "one", 10, 20, 40);
    peer("lb4j", "one", 7, 10, 28);

    assertThat(sections().get("lab-goals"))
        .contains("| gateway, one stream ÷ nftables DNAT | 0.70 (0.50–0.70) | ≥ 0.60 | reached |");
  }

  @Test
  void shouldCompareWithTheBestProxyOfEachMeasurement() throws IOException {
    peer("haproxy", "keep", 50_000);
    peer("nginx", "keep", 40_000);
    peer("haproxy", "close", 8_000);
    peer("nginx", "close", 9_000);
    peer("lb4j", "keep", 60_000);
    peer("lb4j", "close", 18_000);

    assertThat(sections().get("lab-goals"))
        .contains("| gateway, requests ÷ the best proxy's (haproxy) | 1.20 (1.20–1.20) | ≥ 1.30 | **missed** |")
        .contains("| gateway, new connections ÷ the best proxy's (nginx) | 2.0 (2.0–2.0) | ≥ 1.30 | reached |");
  }

  @Test
  void shouldTellCostForEachThousandRequests() throws IOException {
    peer("lb4j", "keep", 60_000, 50_000, 40_000);

    assertThat(sections().get("lab-dual-requests"))
        .contains("| **lb4j** | 50,000 (40,000–60,000) | 4.0 (4.0–4.0) | 500, 250, 2,000 | – |");
  }

  @Test
  void shouldSetRoundTripsBesideTheBridge() throws IOException {
    trip("kernel bridge", 20);
    trip("packet low spin", 35);
    trip("packet low poll", 90);

    assertThat(sections().get("lab-roundtrips")).contains("| packet low spin | 35 (35–35) | 100 (100–100) | 1.75 | – |");
    assertThat(sections().get("lab-goals"))
        .contains("packet low spin ÷ kernel bridge | 1.75 (1.75–1.75) | ≤ 2.0 | reached |")
        .contains("packet low poll ÷ kernel bridge | 4.5 (4.5–4.5) | ≤ 4.0 | **missed** |");
  }

  @Test
  void shouldReportWhatTheSameSocketsReachInC() throws IOException {
    peer("nginx", "close", 6_000);
    peer("nft-dnat", "close", 8_000);
    peer("redirect-c", "close", 7_200);
    peer("lb4j", "close", 6_480);
    peer("nft-dnat", "four", 20);
    peer("redirect-c", "four", 14);
    direct("none", "1m", 10, 12);
    direct("redirect-c", "1m", 8, 12);
    direct("lb4j", "1m", 8, 9);

    assertThat(sections().get("lab-goals"))
        .contains("| gateway, new connections: C ÷ the best proxy's (nginx) | 1.20 (1.20–1.20) | reported | |")
        .contains("| gateway, new connections: C ÷ nftables DNAT | 0.90 (0.90–0.90) | reported | |")
        .contains("| gateway, new connections: lb4j ÷ C | 0.90 (0.90–0.90) | reported | |")
        .contains("| gateway, four streams: C ÷ nftables DNAT | 0.70 (0.70–0.70) | reported | |")
        .contains("| DSR, downloads of 1 MB: C ÷ nothing between | 0.90 (0.80–1.00) | reported | |")
        .contains("| DSR, downloads of 1 MB: lb4j ÷ C | 0.88 (0.75–1.00) | reported | |");
  }

  @Test
  void shouldTellWhatWakingTakes() throws IOException {
    for (int round = 1; round <= 3; round++) {
      lines.add("{\"table\": \"wake\", \"round\": " + round
          + ", \"subject\": \"asleep\", \"p50Us\": " + 10 * round + ", \"p99Us\": 99.5}");
    }

    assertThat(sections().get("lab-wakes")).contains("| asleep | 20 (10.0–30) | 100 (100–100) |");
  }

  @Test
  void shouldLeaveOutALineThatWasCutOff() throws IOException {
    peer("haproxy", "one", 6);
    lines.add("{\"table\": \"peers\", \"round\": 2, \"topo");

    assertThat(new LabLines(lines).subjects("peers", "dual")).containsExactly("haproxy");
  }

  @Test
  void shouldWriteBetweenItsOwnMarkersOnly(@TempDir Path directory) throws IOException {
    String others = "<!-- figures: goals -->\n\nold\n\n<!-- end of figures -->\n";
    peer("haproxy", "one", 6);
    Files.write(directory.resolve("lines.jsonl"), lines);
    Path page = directory.resolve("page.md");
    Files.writeString(page, others + "<!-- figures: lab-dual-bulk -->\nold\n<!-- end of figures -->\n");

    LabReport.main(directory.toString(), page.toString());

    assertThat(Files.readString(page)).startsWith(others).contains("| haproxy, TCP | 6.0 (6.0–6.0) |");
    String filled = Markers.fill(Files.readString(page), Map.of("goals", "new"));
    assertThat(filled).contains("\nnew\n").contains("| haproxy, TCP | 6.0 (6.0–6.0) |");
  }

  @Test
  void shouldRefuseMarkersOfItsKindThatItDoesNotKnow() {
    String page = "<!-- figures: lab-other -->\n<!-- end of figures -->\n";

    assertThatThrownBy(() -> Markers.fill(page, sections())).hasMessageContaining("lab-other");
  }
}
