package io.lb4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code lb shield} from a file to rules; that nft takes them is asserted where they are written. */
class ShieldCommandTest {
  @Test
  void shouldPrintAddressesAndInterfacesOfTheFile() {
    CommandRun run = CommandRun.lb("shield", "configs/gateway.yaml");

    assertThat(run.exit()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out().lines())
        .startsWith("add table netdev lb4j", "delete table netdev lb4j", "add table netdev lb4j")
        .anyMatch(line -> line.contains("type filter hook ingress device \"eth0\""))
        .anyMatch(line -> line.matches("add element netdev lb4j own4 \\{.*198\\.51\\.100\\.\\d+.*}"))
        .anyMatch(line -> line.matches("add element netdev lb4j inside4 \\{.*192\\.0\\.2\\.11.*}"));
  }

  @Test
  void shouldRefuseAFileThatThereIsNot(@TempDir Path directory) {
    CommandRun run = CommandRun.lb("shield", directory.resolve("none.yaml"));

    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines()).hasSize(1);
  }
}
