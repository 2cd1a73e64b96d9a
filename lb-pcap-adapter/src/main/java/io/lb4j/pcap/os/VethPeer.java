package io.lb4j.pcap.os;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Asks the kernel (rtnetlink(7)) for the other end of a veth. Indexes count anew in each network namespace, so that the
 * number alone does not tell whether the other end is in ours.
 */
final class VethPeer {
  private static final int AF_NETLINK = 16;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int ROUTE = 0; // NETLINK_ROUTE
  private static final short NEW_LINK = 16;
  private static final short GET_LINK = 18;
  private static final short REQUEST = 1;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int HEADERS = 32; // nlmsghdr and ifinfomsg
  private static final int INDEX = 20;
  private static final int ANSWER_SIZE = 32 * 1024;
  private static final int LINK = 5; // IFLA_LINK
  private static final int OTHER_NAMESPACE = 37; // IFLA_LINK_NETNSID

  private VethPeer() {}

  /** The index of the other end in the network namespace of the calling thread; 0 when it is in another one. */
  static int indexOf(int index) {
    int fd = Libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, ROUTE);
    if (fd < 0) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(HEADERS, 8);
      request.set(Native.INT, 0, HEADERS);
      request.set(Native.SHORT, 4, GET_LINK);
      request.set(Native.SHORT, 6, REQUEST);
      request.set(Native.INT, INDEX, index);
      MemorySegment answer = arena.allocate(ANSWER_SIZE, 8);
      if (Libc.send(fd, request, MSG_DONTWAIT) < 0) {
        return 0;
      }
      long length = Libc.recv(fd, answer.address(), ANSWER_SIZE, MSG_DONTWAIT);
      return length > HEADERS && answer.get(Native.SHORT, 4) == NEW_LINK ? link(answer, length) : 0;
    } finally {
      Libc.close(fd);
    }
  }

  private static int link(MemorySegment answer, long length) {
    int found = 0;
    for (long at = HEADERS; at + 8 <= length; ) {
      int size = Short.toUnsignedInt(answer.get(ValueLayout.JAVA_SHORT, at));
      int type = answer.get(ValueLayout.JAVA_SHORT, at + 2);
      if (size < 4 || type == OTHER_NAMESPACE) {
        return 0;
      }
      if (type == LINK) {
        found = answer.get(Native.INT, at + 4);
      }
      at += size + 3 & ~3;
    }
    return found;
  }
}
