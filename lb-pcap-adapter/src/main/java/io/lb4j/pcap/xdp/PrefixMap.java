package io.lb4j.pcap.xdp;

import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.port.SteeredPrefixes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * What the steering program looks addresses up in: one trie of the kernel that answers by the longest prefix. A key is
 * a length in bits, what the address is looked up as together with its family, and the address. Owned by the control
 * thread; read by the kernel for each frame, also while it is changed.
 *
 * <pre>
 *    0               4               8                                              24
 *   +---------------+---------------+----------------------------------------------+
 *   | length, bits  | kind + family | address: IPv4 and MAC in front, zeros behind  |
 *   +---------------+---------------+----------------------------------------------+
 * </pre>
 */
final class PrefixMap implements AutoCloseable {
  static final int KEY_SIZE = 24;
  static final int KEY_BITS = 8 * (KEY_SIZE - 4);

  /** Kinds of keys. */
  static final int DESTINATION = 1;

  static final int SOURCE = 2;
  static final int MAC = 3;

  /** Families, added to the kind. */
  static final int FAMILY_V4 = 0x400;

  static final int FAMILY_V6 = 0x600;

  /** What is known of a destination: ours, the host's, or ours where it is sent to a MAC address of ours. */
  static final int CLAIMED = 1;

  static final int HOST = 2;
  static final int ROUTED = 3;

  /** A bit of what is known of a source: what it sends to the host is for both. */
  static final int ALSO_TO_HOST = 2;

  private static final int KIND_BITS = 32;
  private static final int MOST_ENTRIES = 1 << 18;

  private final int fd;
  private Map<Key, Integer> entries = new HashMap<>();

  /** A key, its address as two numbers of network order. */
  private record Key(int bits, int kind, long high, long low) {
    void write(MemorySegment to) {
      to.set(Native.INT, 0, bits);
      to.set(Native.INT, 4, kind);
      for (int i = 0; i < 8; i++) {
        to.set(ValueLayout.JAVA_BYTE, 8 + i, (byte) (high >>> 56 - 8 * i));
        to.set(ValueLayout.JAVA_BYTE, 16 + i, (byte) (low >>> 56 - 8 * i));
      }
    }
  }

  PrefixMap() {
    fd = Bpf.createMap(Bpf.MAP_TYPE_LPM_TRIE, KEY_SIZE, 4, MOST_ENTRIES, Bpf.NO_PREALLOCATION, "lb4j_prefixes");
  }

  int fd() {
    return fd;
  }

  /** Replaces all entries. New ones are there before old ones go, so that what is in both is never missing. */
  void set(SteeredPrefixes prefixes, Collection<IpAddress> host, Collection<MacAddress> macs) {
    Map<Key, Integer> next = new HashMap<>();
    prefixes.routed().forEach(inside -> next.put(key(DESTINATION, inside), ROUTED));
    host.forEach(address -> next.put(key(DESTINATION, IpPrefix.host(address)), HOST));
    for (IpPrefix own : prefixes.destinations()) {
      next.put(key(DESTINATION, own), CLAIMED);
      next.merge(key(SOURCE, own), CLAIMED | ALSO_TO_HOST, (a, b) -> a | b);
    }
    prefixes.sources().forEach(source -> next.merge(key(SOURCE, source), CLAIMED, (a, b) -> a | b));
    macs.forEach(mac -> next.put(new Key(KIND_BITS + 48, MAC, mac.value() << 16, 0), CLAIMED));
    replaceBy(next);
  }

  private static Key key(int kind, IpPrefix prefix) {
    IpAddress address = prefix.address();
    int bits = KIND_BITS + prefix.length();
    return address.isV6()
        ? new Key(bits, kind + FAMILY_V6, address.high(), address.low())
        : new Key(bits, kind + FAMILY_V4, address.low() << 32, 0);
  }

  private void replaceBy(Map<Key, Integer> next) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(KEY_SIZE, 8);
      MemorySegment value = arena.allocate(4, 4);
      for (Map.Entry<Key, Integer> entry : next.entrySet()) {
        if (!entry.getValue().equals(entries.get(entry.getKey()))) {
          entry.getKey().write(key);
          value.set(Native.INT, 0, entry.getValue());
          check(Bpf.update(fd, key, value), "BPF_MAP_UPDATE_ELEM");
          entries.put(entry.getKey(), entry.getValue());
        }
      }
      for (Key old : entries.keySet().stream().filter(old -> !next.containsKey(old)).toList()) {
        old.write(key);
        check(Bpf.delete(fd, key), "BPF_MAP_DELETE_ELEM");
        entries.remove(old);
      }
    }
  }

  private static void check(int answer, String call) {
    if (answer < 0) {
      throw Bpf.failure("bpf(" + call + ")", -answer, "more than " + MOST_ENTRIES + " prefixes, or no memory");
    }
  }

  @Override
  public void close() {
    Libc.close(fd);
  }
}
