package io.lb4j.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The table of codes in docs/verify.md, which has to say of each fault what the enum says. */
final class FaultTableTest {
  private static List<String[]> rows() throws IOException {
    return Files.readAllLines(Path.of("../docs/verify.md")).stream()
        .dropWhile(line -> !line.equals("## Codes"))
        .takeWhile(line -> !line.equals("## What it sends"))
        .filter(line -> line.startsWith("| `"))
        .map(line -> line.substring(2, line.length() - 2).split(" \\| "))
        .toList();
  }

  @Test
  void shouldHaveARowForEachFaultAndNoOther() throws IOException {
    assertThat(rows().stream().map(row -> row[0]))
        .containsExactly(Arrays.stream(Fault.values()).map(fault -> "`" + fault.code() + "`").toArray(String[]::new));
  }

  @Test
  void shouldSayWhatTheReportSays() throws IOException {
    List<String[]> rows = rows();
    for (Fault fault : Fault.values()) {
      String[] row = rows.get(fault.ordinal());
      assertThat(row).hasSize(5);
      assertThat(row[2]).isEqualTo(fault.meaning());
      assertThat(row[3]).isEqualTo(fault.seenBy());
      assertThat(row[4]).isEqualTo(fault.remedy());
    }
  }

  @Test
  void shouldHaveAtLeastTwelveFaultsThatSayWhatToDo() {
    assertThat(Fault.values()).hasSizeGreaterThanOrEqualTo(12).allSatisfy(fault -> {
      assertThat(fault.code()).matches("[a-z-]+");
      assertThat(fault.meaning()).isNotBlank().doesNotEndWith(".");
      assertThat(fault.remedy()).isNotBlank().doesNotEndWith(".");
    });
  }
}
