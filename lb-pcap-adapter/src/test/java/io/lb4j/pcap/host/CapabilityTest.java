package io.lb4j.pcap.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CapabilityTest {
  @TempDir Path directory;

  private Path status(String mask) throws Exception {
    return Files.writeString(directory.resolve("status"), "Name:\tjava\nCapPrm:\t0\nCapEff:\t" + mask + "\n");
  }

  @Test
  void shouldReadWhatIsInEffect() throws Exception {
    assertThat(Capability.effective(status("0000000000002000"))).containsExactly(Capability.CAP_NET_RAW);
    assertThat(Capability.effective(status("0000008000003000")))
        .containsExactly(Capability.CAP_NET_ADMIN, Capability.CAP_NET_RAW, Capability.CAP_BPF);
    assertThat(Capability.effective(status("0000000000000000"))).isEmpty();
    assertThat(Capability.effective(status("000001ffffffffff"))).hasSize(4);
  }

  @Test
  void shouldClaimNothingWhereTheSystemDoesNotTell() {
    assertThat(Capability.effective(directory.resolve("none"))).hasSize(4);
  }

  @Test
  void shouldSayHowToStartWithARight() {
    assertThat(Capability.command(EnumSet.of(Capability.CAP_NET_RAW)))
        .contains("--inh-caps +net_raw --ambient-caps +net_raw");
  }
}
