package io.lb4j.pcap;

/** Adds libpcap's 32-bit counts of dropped frames up, by their differences. Guarded by its port. */
final class DropCount {
  private long missed;
  private int lastDropped;
  private int lastByInterface;

  /**
   * Takes what libpcap says now.
   *
   * @param dropped by the kernel
   * @param byInterface by the device, which libpcap asks for by its name: for an interface that was removed or renamed
   *     it takes all that the device ever dropped off
   */
  void update(int dropped, int byInterface) {
    missed += dropped - lastDropped & 0xFFFF_FFFFL;
    lastDropped = dropped;
    int more = byInterface - lastByInterface;
    if (more > 0) {
      missed += more;
      lastByInterface = byInterface;
    }
  }

  long missed() {
    return missed;
  }
}
