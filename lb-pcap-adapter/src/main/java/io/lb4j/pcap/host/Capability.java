package io.lb4j.pcap.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;

/** The rights of Linux (capabilities(7)) that live ports and the shield need. Immutable, shared. */
public enum Capability {
  /** Rules of nftables, XDP programs, settings of interfaces. */
  CAP_NET_ADMIN(12),
  /** Packet sockets, libpcap, AF_XDP sockets. */
  CAP_NET_RAW(13),
  /** What {@link #CAP_BPF} is part of, before Linux 5.8. */
  CAP_SYS_ADMIN(21),
  /** Loading eBPF programs and maps. */
  CAP_BPF(39);

  private static final Path STATUS = Path.of("/proc/self/status");

  private final int bit;

  Capability(int bit) {
    this.bit = bit;
  }

  /**
   * What this process may do.
   *
   * @return those in effect; all of them where the system does not tell
   */
  public static Set<Capability> effective() {
    return effective(STATUS);
  }

  static Set<Capability> effective(Path status) {
    try (Stream<String> lines = Files.lines(status)) {
      long mask =
          lines.filter(line -> line.startsWith("CapEff:"))
              .map(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
              .findFirst()
              .orElse(-1L);
      Set<Capability> held = EnumSet.noneOf(Capability.class);
      for (Capability capability : values()) {
        if ((mask >>> capability.bit & 1) != 0) {
          held.add(capability);
        }
      }
      return held;
    } catch (IOException | NumberFormatException e) {
      return EnumSet.allOf(Capability.class);
    }
  }

  /** The name without CAP_, in lower case, as setpriv(1) has it. */
  private String word() {
    return name().substring(4).toLowerCase(java.util.Locale.ROOT);
  }

  /**
   * How to start a program with rights.
   *
   * @param rights one or more
   * @return a command to put before the program's, for root to type
   */
  public static String command(Set<Capability> rights) {
    String list = String.join(",", rights.stream().map(right -> "+" + right.word()).toList());
    return "setpriv --reuid lb4j --regid lb4j --clear-groups --inh-caps " + list + " --ambient-caps " + list;
  }
}
