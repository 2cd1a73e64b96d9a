package io.lb4j.testkit;

import io.lb4j.address.MacAddress;

/** Ethernet frames that no host answers, told apart by a number. Safe from any thread. */
final class NumberedFrame {
  private static final int ETHERNET_HEADER = 14;
  private static final int VLAN_TAG = 4;
  private static final int EXPERIMENTAL_TYPE = 0x88B5; // IEEE 802, local experimental EtherType 1
  private static final int VLAN_TYPE = 0x8100;
  private static final int VLAN_ID = 42;

  private NumberedFrame() {}

  static byte[] untagged(int number, int length, MacAddress destination) {
    byte[] frame = new byte[length];
    setDestination(frame, destination);
    frame[6] = 0x02; // a locally administered source
    frame[11] = 0x01;
    putShort(frame, 12, EXPERIMENTAL_TYPE);
    for (int i = ETHERNET_HEADER; i < length; i++) {
      frame[i] = (byte) (number * 31 + i);
    }
    return frame;
  }

  static byte[] tagged(int number, int length, MacAddress destination) {
    byte[] frame = untagged(number, length, destination);
    putShort(frame, ETHERNET_HEADER - 2, VLAN_TYPE);
    putShort(frame, ETHERNET_HEADER, VLAN_ID);
    putShort(frame, ETHERNET_HEADER + VLAN_TAG - 2, EXPERIMENTAL_TYPE);
    return frame;
  }

  static void setDestination(byte[] frame, MacAddress mac) {
    for (int i = 0; i < 6; i++) {
      frame[i] = (byte) (mac.value() >>> 40 - 8 * i);
    }
  }

  private static void putShort(byte[] frame, int at, int value) {
    frame[at] = (byte) (value >>> 8);
    frame[at + 1] = (byte) value;
  }
}
