package io.lb4j.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the kernel says of a table's memory. Where no function can be called, there is none of this kind. */
class HugePagesTest {
  private static final int BYTES = 24 << 20;
  private static final int MOST_COLLECTIONS = 500;

  /** The lines of the mapping with an address; none when there is no such mapping. */
  private static List<String> mapping(long address) throws IOException {
    List<String> lines = new ArrayList<>();
    boolean within = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        String[] range = line.substring(0, line.indexOf(' ')).split("-");
        within = Long.parseUnsignedLong(range[0], 16) <= address && Long.parseUnsignedLong(range[1], 16) > address;
      }
      if (within) {
        lines.add(line);
      }
    }
    return lines;
  }

  private static long kibibytes(List<String> mapping, String name) {
    String line = mapping.stream().filter(l -> l.startsWith(name + ":")).findFirst().orElseThrow();
    return Long.parseLong(line.replaceAll("\\D", ""));
  }

  private static Object map() {
    Object memory = HugePages.map(BYTES);
    assumeTrue(memory != null || !"foreign".equals(DirectMemory.mode()), "not on Linux");
    assertThat(memory == null).isEqualTo(!"foreign".equals(DirectMemory.mode()));
    return memory;
  }

  private static void assertZero(long address) {
    for (long at = address; at < address + BYTES; at += 8) {
      if (DirectMemory.getLong(at) != 0) {
        assertThat(DirectMemory.getLong(at)).as("at %d", at - address).isZero();
      }
    }
  }

  @Test
  void shouldTakeHugePagesThatArePresentAndZero() throws IOException {
    Object memory = map();
    if (memory == null) {
      return;
    }
    long address = DirectMemory.addressOfMemory(memory);
    assertThat(address % HugePages.SIZE).isZero();
    List<String> mapping = mapping(address);
    assertThat(kibibytes(mapping, "Rss")).isGreaterThanOrEqualTo(BYTES >> 10);
    if (!Files.readString(Path.of("/sys/kernel/mm/transparent_hugepage/enabled")).contains("[never]")) {
      assertThat(kibibytes(mapping, "AnonHugePages")).as("most of it").isGreaterThan(BYTES * 3L / 4 >> 10);
    }
    assertZero(address);
    DirectMemory.setLong(address, 1);
    DirectMemory.setLong(address + BYTES - 8, 1);
  }

  @Test
  void shouldGiveMemoryBackWhenItIsGarbage() throws IOException {
    Object memory = map();
    if (memory == null) {
      return;
    }
    long address = DirectMemory.addressOfMemory(memory);
    assertThat(mapping(address)).isNotEmpty();
    memory = null;
    int collections = 0;
    while (!mapping(address).isEmpty() && collections++ < MOST_COLLECTIONS) {
      System.gc();
    }
    assertThat(mapping(address)).isEmpty();
  }
}
