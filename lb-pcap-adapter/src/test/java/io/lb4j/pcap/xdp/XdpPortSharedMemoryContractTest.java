package io.lb4j.pcap.xdp;

import org.junit.jupiter.api.Tag;

/** Ports that share their memory, with small rings, and the program in the kernel's stack. */
@Tag("root")
class XdpPortSharedMemoryContractTest extends XdpPortContractTest {
  private final XdpMemory memory = XdpMemory.allocate(2 * XdpMemory.framesFor(4, 1, 256));

  @Override
  XdpPort.Builder builder(String device) {
    return super.builder(device).memory(memory).ringSize(256).generic(true);
  }
}
