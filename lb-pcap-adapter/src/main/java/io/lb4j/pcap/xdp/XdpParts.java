package io.lb4j.pcap.xdp;

import io.lb4j.pcap.os.Libc;
import io.lb4j.pcap.os.Native;
import io.lb4j.pcap.os.NetDevice;
import io.lb4j.port.PortException;
import io.lb4j.port.PortException.Cause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What a port has open: maps, program, its link to the device, sockets. Owned by the control thread. */
final class XdpParts implements AutoCloseable {
  private final List<String> warnings = new ArrayList<>();
  private final List<XskSocket> sockets = new ArrayList<>();
  private final List<XdpQueue> queues = new ArrayList<>();
  private final XdpMemory memory;
  private final int reserved;
  private final int wantedQueues;
  private PrefixMap prefixes;
  private NeighborTap tap;
  private int socketMap = -1;
  private int program = -1;
  private int link = -1;
  private boolean nativeMode;

  XdpParts(XdpPort.Builder options, NetDevice device) {
    int deviceQueues = device.receiveQueues();
    int frames = XdpMemory.framesFor(deviceQueues, options.queues, options.ringSize);
    requireFitting(options, device, deviceQueues);
    wantedQueues = options.queues;
    memory =
        options.memory == null
            ? XdpMemory.allocate(frames, XdpMemory.chunkSizeFor(device.mtu()))
            : options.memory;
    memory.reserve(frames, device.name());
    reserved = frames;
    try {
      open(options, device, deviceQueues);
    } catch (RuntimeException | OutOfMemoryError e) {
      close();
      throw e;
    }
  }

  private static void requireFitting(XdpPort.Builder options, NetDevice device, int deviceQueues) {
    String refusal = "";
    if (device.mtu() > XdpMemory.LARGE_CHUNK_MTU) {
      refusal = "an MTU of " + device.mtu() + " is too large for io xdp, where a frame has to fit into a page; remedy: io"
          + " packet, or ip link set " + device.name() + " mtu " + XdpMemory.LARGE_CHUNK_MTU;
    } else if (options.memory != null && options.memory.chunkSize() < XdpMemory.chunkSizeFor(device.mtu())) {
      refusal = "an MTU of " + device.mtu() + " needs memory in chunks of " + XdpMemory.LARGE_CHUNK + " bytes, and that which"
          + " it is to share has " + options.memory.chunkSize();
    } else if (options.queues > deviceQueues) {
      refusal = "it has " + deviceQueues + " receive queues, not " + options.queues + "; ethtool -L sets them";
    }
    if (!refusal.isEmpty()) {
      throw new PortException(Cause.NOT_SUPPORTED, device.name() + ": " + refusal);
    }
  }

  private void open(XdpPort.Builder options, NetDevice device, int deviceQueues) {
    prefixes = new PrefixMap();
    socketMap = Bpf.createMap(Bpf.MAP_TYPE_XSKMAP, 4, 4, deviceQueues, 0, "lb4j_sockets");
    program =
        Bpf.load(
            options.everything ? SteeringProgram.everything(socketMap) : SteeringProgram.of(prefixes.fd(), socketMap),
            "lb4j_steer");
    for (int i = 0; i < deviceQueues; i++) {
      sockets.add(XskSocket.open(device.name(), device.index(), i, options.ringSize, memory, options.copy));
    }
    tap = new NeighborTap(device, !options.everything, prefixes);
    for (int i = 0; i < options.queues; i++) {
      queues.add(new XdpQueue(memory, memory.nextQueueNumber(), socketsOf(i), i == 0 ? tap : null, device.mtu()));
    }
    sockets.forEach(this::register);
    attach(options, device);
  }

  private XskSocket[] socketsOf(int queue) {
    return sockets.stream().filter(socket -> queueOf(socket) == queue).toArray(XskSocket[]::new);
  }

  private int queueOf(XskSocket socket) {
    return socket.queueId() % wantedQueues;
  }

  private void register(XskSocket socket) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocateFrom(Native.INT, socket.queueId());
      int answer = Bpf.update(socketMap, key, arena.allocateFrom(Native.INT, socket.fd()));
      if (answer < 0) {
        throw Bpf.failure("bpf(BPF_MAP_UPDATE_ELEM sockets)", -answer, "no memory");
      }
    }
  }

  private void attach(XdpPort.Builder options, NetDevice device) {
    int refusal = 0;
    if (!options.generic) {
      link = Bpf.attach(program, device.index(), Bpf.NATIVE_MODE);
      refusal = -link;
      nativeMode = link >= 0;
    }
    if (!nativeMode && refusal != Syscalls.EBUSY) {
      link = Bpf.attach(program, device.index(), Bpf.GENERIC_MODE);
    }
    if (link < 0) {
      boolean busy = link == -Syscalls.EBUSY;
      throw Bpf.failure(
          "bpf(BPF_LINK_CREATE) for " + device.name(),
          -link,
          busy ? "another XDP program is attached: ip link show " + device.name() : "the device may have been removed");
    }
    if (!nativeMode && !options.generic) {
      warnings.add(
          device.name() + ": the driver cannot run XDP programs (error " + refusal + "), the kernel's stack does, which"
              + " is slower; likely cause: the driver, or an MTU too large for it: " + device.mtu());
    }
    warnings.addAll(XdpOffloads.warnings(device, nativeMode));
  }

  int program() {
    return program;
  }

  PrefixMap prefixes() {
    return prefixes;
  }

  NeighborTap tap() {
    return tap;
  }

  List<XdpQueue> queues() {
    return queues;
  }

  List<String> warnings() {
    return List.copyOf(warnings);
  }

  boolean isNative() {
    return nativeMode;
  }

  boolean isZeroCopy() {
    return sockets.stream().allMatch(XskSocket::isZeroCopy);
  }

  @Override
  public void close() {
    closeFd(link);
    sockets.stream().filter(socket -> queueOf(socket) >= queues.size()).forEach(XskSocket::close);
    if (tap != null && queues.isEmpty()) {
      tap.close();
    }
    queues.forEach(XdpQueue::close); // with their sockets; the first one with the tap
    closeFd(program);
    closeFd(socketMap);
    if (prefixes != null) {
      prefixes.close();
    }
    memory.giveUp(reserved);
  }

  private static void closeFd(int fd) {
    if (fd >= 0) {
      Libc.close(fd);
    }
  }
}
