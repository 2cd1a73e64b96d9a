package io.lb4j.neighbor;

import static io.lb4j.neighbor.Lan.OWN;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;

/** The same scenario in IPv4 and IPv6. */
enum Family {
  V4("192.0.2.5", "192.0.2.21", "192.0.2.200", "192.0.2.10", "192.0.2.11"),
  V6("2001:db8:1::5", "2001:db8:1::80:ff21", "2001:db8:1::ffff:8000", "2001:db8:1::10", "2001:db8:1::11");

  final String own;
  final String peer;
  final String client;
  final String vip;
  final String vip2;

  Family(String own, String peer, String client, String vip, String vip2) {
    this.own = own;
    this.peer = peer;
    this.client = client;
    this.vip = vip;
    this.vip2 = vip2;
  }

  IpAddress peerAddress() {
    return IpAddress.of(peer);
  }

  /** What we send to find the peer. */
  String search() {
    return this == V4 ? Wire.request(OWN, own, peer) : Wire.solicitation(OWN, own, peer);
  }

  /** What we send to confirm a known peer. */
  String unicastSearch(MacAddress to) {
    return this == V4
        ? Wire.arp(Wire.mac(to), OWN, 1, OWN, own, "000000000000", peer)
        : Wire.unicastSolicitation(OWN, own, to, peer);
  }

  /** The peer's answer to us. */
  String answer(MacAddress from) {
    return this == V4
        ? Wire.reply(from, peer, OWN, own)
        : Wire.advertisement(from, peer, Wire.mac(OWN), own, 0x60, peer);
  }

  /** Somebody's request for an address. */
  String request(MacAddress from, String source, String target) {
    return this == V4 ? Wire.request(from, source, target) : Wire.solicitation(from, source, target);
  }

  /** An announcement that nobody asked for. */
  String announcement(MacAddress from, String address) {
    return this == V4 ? Wire.request(from, address, address) : Wire.unsolicited(from, address);
  }

  /** Our answer to {@link #request}. */
  String ourAnswer(MacAddress to, String destination, String target) {
    return this == V4
        ? Wire.reply(OWN, target, to, destination)
        : Wire.advertisement(OWN, target, Wire.mac(to), destination, 0x60, target);
  }

  /** A probe for an address before it is used. */
  String probe(MacAddress from, String address) {
    return this == V4 ? Wire.request(from, "0.0.0.0", address) : Wire.duplicateAddressProbe(from, address);
  }
}
