package io.lb4j.examples.demo;

import io.lb4j.examples.lab.ClientReport;
import io.lb4j.examples.lab.Lab;
import io.lb4j.examples.lab.LabClient;
import io.lb4j.examples.lab.Passage;

/**
 * Downloads a megabyte and looks at the balancer's interfaces meanwhile: the answer must not be there with direct
 * server return, and must be there with the gateway. Owned by one thread.
 */
final class ReplyPathCheck {
  /** The client's acknowledgements come through the balancer; a quarter of the download is far above them. */
  private static final long MOST_BYTES = 262_144;

  private static final long DOWNLOAD_BYTES = 1_048_576;

  private final Lab lab;
  private final DemoReport report;
  private final boolean gateway;

  ReplyPathCheck(Lab lab, DemoReport report) {
    this.lab = lab;
    this.report = report;
    this.gateway = lab.topology().isGateway();
  }

  void run(String family, String vip, String source) {
    if (Lab.installed("tcpdump")) {
      Passage seen = Passage.during(lab, vip, () -> download(family, vip, source));
      report.check(seen.requests() > 0 && seen.answers() > 0 == gateway, "tcpdump " + family, "at the balancer "
          + seen.requests() + " frames to the virtual address" + (gateway ? ", " : " (in and out), ")
          + seen.answers() + " from it");
    } else {
      download(family, vip, source);
    }
  }

  private void download(String family, String vip, String source) {
    long before = receivedBytes();
    ClientReport seen = ClientReport.parse(lab.java("cl", LabClient.class, "download", vip, "80", source).output());
    long bytes = receivedBytes() - before;
    boolean asItShould = gateway ? bytes > DOWNLOAD_BYTES : bytes < MOST_BYTES;
    report.check(seen.clean() && asItShould, (gateway ? "through " : "bypass ") + family, seen.clean()
        ? String.format("%,d bytes downloaded; %,d bytes came to the balancer: ", DOWNLOAD_BYTES, bytes)
            + (gateway ? "the server's packets pass it" : "the client's packets")
        : "the download failed: " + seen.problem());
  }

  /** On the side of the servers, which with one interface is every side. */
  private long receivedBytes() {
    String file = "/sys/class/net/" + lab.topology().serverSide() + "/statistics/rx_bytes";
    return Long.parseLong(lab.must("lb", "cat", file).strip());
  }
}
