package io.lb4j.examples.demo;

import io.lb4j.examples.lab.ClientReport;
import io.lb4j.examples.lab.Lab;
import io.lb4j.examples.lab.LabClient;
import io.lb4j.examples.lab.Passage;

/** Downloads a megabyte and looks at the balancer's interface meanwhile: the answer must not be there. */
final class BypassCheck {
  /** The client's acknowledgements come through the balancer; a quarter of the download is far above them. */
  private static final long MOST_BYTES = 262_144;

  private final Lab lab;
  private final DemoReport report;

  BypassCheck(Lab lab, DemoReport report) {
    this.lab = lab;
    this.report = report;
  }

  void run(String family, String vip, String source) {
    if (Lab.installed("tcpdump")) {
      Passage seen = Passage.during(lab, vip, () -> download(family, vip, source));
      report.check(seen.requests() > 0 && seen.answers() == 0, "tcpdump " + family, "at the balancer "
          + seen.requests() + " frames to the virtual address (in and out), " + seen.answers() + " from it");
    } else {
      download(family, vip, source);
    }
  }

  private void download(String family, String vip, String source) {
    long before = receivedBytes();
    ClientReport seen = ClientReport.parse(lab.java("cl", LabClient.class, "download", vip, "80", source).output());
    long bytes = receivedBytes() - before;
    report.check(seen.clean() && bytes < MOST_BYTES, "bypass " + family, seen.clean()
        ? String.format("1,048,576 bytes downloaded; %,d bytes came to the balancer: the client's packets", bytes)
        : "the download failed: " + seen.problem());
  }

  private long receivedBytes() {
    return Long.parseLong(lab.must("lb", "cat", "/sys/class/net/eth0/statistics/rx_bytes").strip());
  }
}
