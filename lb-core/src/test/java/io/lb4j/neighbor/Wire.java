package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.util.HexFormat;

/** Frames as hexadecimal text, written out from the RFCs and not by the code under test. */
final class Wire {
  static final String BROADCAST = "ffffffffffff";

  private Wire() {}

  static String mac(MacAddress mac) {
    return mac.toString().replace(":", "");
  }

  static String ip(String address) {
    return HexFormat.of().formatHex(IpAddress.of(address).octets());
  }

  static String arp(
      String to, MacAddress from, int operation, MacAddress sender, String senderIp, String target, String targetIp) {
    String addresses = mac(sender) + ip(senderIp) + target + ip(targetIp);
    String packet = to + mac(from) + "0806" + "000108000604" + hex(operation, 4) + addresses;
    return packet + "00".repeat(60 - packet.length() / 2);
  }

  static String request(MacAddress from, String senderIp, String targetIp) {
    return arp(BROADCAST, from, 1, from, senderIp, "000000000000", targetIp);
  }

  static String reply(MacAddress from, String senderIp, MacAddress to, String targetIp) {
    return arp(mac(to), from, 2, from, senderIp, mac(to), targetIp);
  }

  /** Ethernet, IPv6 and an ICMPv6 message whose checksum field is written as 0000 in {@code message}. */
  static String icmp6(String toMac, String fromMac, String source, String destination, int hopLimit, String message) {
    return ipv6(toMac, fromMac, source, destination, hopLimit, "3a", "", message);
  }

  static String ipv6(
      String toMac,
      String fromMac,
      String source,
      String destination,
      int hopLimit,
      String nextHeader,
      String extensions,
      String message) {
    String whole = withChecksum(source, destination, message);
    int payload = (extensions.length() + message.length()) / 2;
    return toMac + fromMac + "86dd" + "60000000" + hex(payload, 4) + nextHeader + hex(hopLimit, 2) + ip(source)
        + ip(destination) + extensions + whole;
  }

  static String withChecksum(String source, String destination, String message) {
    String summed = ip(source) + ip(destination) + hex(message.length() / 2, 8) + "0000003a" + message;
    int sum = 0;
    for (int i = 0; i < summed.length(); i += 4) {
      sum += Integer.parseInt((summed.substring(i, Math.min(i + 4, summed.length())) + "00").substring(0, 4), 16);
      sum = (sum & 0xFFFF) + (sum >>> 16);
    }
    return message.substring(0, 4) + hex(~sum & 0xFFFF, 4) + message.substring(8);
  }

  static String hex(int value, int digits) {
    String text = Integer.toHexString(value);
    return "0".repeat(digits - text.length()) + text;
  }

  static String solicitedNode(String target) {
    return IpAddress.of(target).solicitedNode().toString();
  }

  static String groupMac(String group) {
    return "3333" + ip(group).substring(24);
  }

  /** A solicitation to the target's group with the sender's link-layer address. */
  static String solicitation(MacAddress from, String source, String target) {
    String group = solicitedNode(target);
    String message = "87000000" + "00000000" + ip(target) + "0101" + mac(from);
    return icmp6(groupMac(group), mac(from), source, group, 255, message);
  }

  static String unicastSolicitation(MacAddress from, String source, MacAddress to, String target) {
    return icmp6(mac(to), mac(from), source, target, 255, "87000000" + "00000000" + ip(target) + "0101" + mac(from));
  }

  /** A solicitation from nobody: duplicate address detection. */
  static String duplicateAddressProbe(MacAddress from, String target) {
    String group = solicitedNode(target);
    return icmp6(groupMac(group), mac(from), "::", group, 255, "87000000" + "00000000" + ip(target));
  }

  /** An advertisement; flags are the first byte: 0x80 router, 0x40 solicited, 0x20 override. */
  static String advertisement(
      MacAddress from, String source, String toMac, String destination, int flags, String target) {
    String message = "88000000" + hex(flags, 2) + "000000" + ip(target) + "0201" + mac(from);
    return icmp6(toMac, mac(from), source, destination, 255, message);
  }

  static String unsolicited(MacAddress from, String target) {
    return advertisement(from, target, "333300000001", "ff02::1", 0x20, target);
  }

  /** Inserts an 802.1Q tag. */
  static String tagged(String frame, int tci) {
    return frame.substring(0, 24) + "8100" + hex(tci, 4) + frame.substring(24);
  }
}
