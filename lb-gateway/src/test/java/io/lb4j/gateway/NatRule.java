package io.lb4j.gateway;

import static io.lb4j.gateway.NatRule.Level.MUST;
import static io.lb4j.gateway.NatRule.Level.SHOULD;

import java.util.Optional;

/** What the RFCs ask of a NAT, one rule for each check of the conformance report. Immutable. */
enum NatRule {
  N1(MUST, "RFC 4787 REQ-1", "Endpoint-independent mapping: an internal endpoint has one external one for all peers"),
  N2(SHOULD, "RFC 4787 REQ-2", "Paired address pooling when there are several external addresses"),
  N3(MUST, "RFC 4787 REQ-3", "Never two internal endpoints on one external endpoint"),
  N4(SHOULD, "RFC 4787 REQ-3a", "The range of the port is kept: 0-1023 or 1024-65535"),
  N5(SHOULD, "RFC 4787 REQ-4", "The parity of the port is kept"),
  N6(MUST, "RFC 4787 REQ-5", "A UDP mapping lives for 2 minutes at least, 5 by default, and this can be set"),
  N7(MUST, "RFC 4787 REQ-6", "Outbound packets refresh a mapping; inbound ones only if told to"),
  N8(SHOULD, "RFC 4787 REQ-8", "Filtering is endpoint-independent or address-dependent, the latter by default"),
  N9(MUST, "RFC 4787 REQ-9", "Hairpinning, and the receiver sees the external source address and port"),
  N10(SHOULD, "RFC 4787 REQ-10", "No application is looked into by default"),
  N11(MUST, "RFC 4787 REQ-7", "Overlapping internal and external addresses are refused or handled"),
  N12(MUST, "RFC 4787 REQ-11", "Deterministic: mapping and filtering never change"),
  N13(MUST, "RFC 4787 REQ-12", "ICMP never removes a mapping, is not filtered by its sender, and is translated"),
  N14(MUST, "RFC 4787 REQ-13", "Too big: an ICMP error with the MTU, or with DF=0 fragments in order"),
  N15(MUST, "RFC 4787 REQ-14", "Fragments are translated in whatever order they come, and a flood of them is bounded"),
  N16(MUST, "RFC 5382 REQ-1, RFC 7857 section 3", "Endpoint-independent mapping for TCP"),
  N17(MUST, "RFC 5382 REQ-2", "All valid sequences of TCP packets, simultaneous open included"),
  N18(MUST, "RFC 5382 REQ-4", "An unsolicited SYN is not answered for 6 seconds, nor when an outbound one meets it"),
  N19(MUST, "RFC 5382 REQ-5", "An established connection may be idle for 2 hours 4 minutes"),
  N20(MUST, "RFC 5382 REQ-5, RFC 7857 section 2.1", "An opening or closing connection may be idle for 4 minutes"),
  N21(SHOULD, "RFC 7857 section 2.2", "A reset is translated and the session kept for 4 minutes, longer if it goes on"),
  N22(SHOULD, "RFC 7857 section 7.1", "An outbound reset or ICMP error does not refresh a mapping"),
  N23(MUST, "RFC 5382 REQ-7", "Never two internal endpoints on one external endpoint, for TCP"),
  N24(MUST, "RFC 5382 REQ-8", "Hairpinning for TCP, with the external source address and port"),
  N25(MUST, "RFC 5382 REQ-10", "ICMP never ends a TCP connection"),
  N26(MUST, "RFC 5508 REQ-1", "ICMP queries pass; their mapping is independent of the peer"),
  N27(MUST, "RFC 5508 REQ-2", "An ICMP query's mapping lives for 60 seconds at least"),
  N28(SHOULD, "RFC 5508 REQ-3", "Which ICMP errors are valid: outer and embedded checksums, options, extensions"),
  N29(MUST, "RFC 5508 REQ-4", "An ICMP error from outside is translated outside and within, or dropped silently"),
  N30(MUST, "RFC 5508 REQ-5", "An ICMP error from inside is translated outside and within"),
  N31(MUST, "RFC 5508 REQ-6", "An ICMP error about a query neither refreshes nor ends its mapping"),
  N32(MUST, "RFC 5508 REQ-7", "Hairpinned ICMP errors are translated"),
  N33(SHOULD, "RFC 5508 REQ-8", "Without a resource the packet is dropped, and its sender told by ICMP 3/13"),
  N34(MUST, "RFC 5508 REQ-10", "The ICMP messages of a router (RFC 1812), Time Exceeded among them"),
  N35(MUST, "RFC 1624, RFC 768, RFC 8200", "Checksums are updated, not made new; a UDP checksum of 0 is none"),
  N36(SHOULD, "RFC 7857 section 10, RFC 6864", "Identifications of translated fragments are unique"),
  N37(SHOULD, "RFC 7857 section 9, RFC 6056", "Ports that are not preserved are random"),
  N38(SHOULD, "RFC 7857 section 4", "A host whose paired address has no free port is refused, not moved"),
  N39(MUST, "RFC 791, RFC 8200", "The time to live is counted down, and at 0 the sender is told"),
  N40(MUST, "RFC 9293 section 3.7.1", "The maximum segment size stays as it is"),
  N41(MUST, "RFC 791 section 3.1", "IPv4 options are carried"),
  N42(MUST, "lb4j", "Both directions of a flow are one worker's"),
  N43(SHOULD, "RFC 6146 section 4", "The timers of RFC 6146 can be set"),
  N44(SHOULD, "RFC 6888 section 4", "Mappings are reported with their time when they begin and end");

  enum Level {
    MUST,
    SHOULD
  }

  final Level level;
  final String source;
  final String text;
  private final String notMet;

  NatRule(Level level, String source, String text) {
    this(level, source, text, null);
  }

  NatRule(Level level, String source, String text, String notMet) {
    this.level = level;
    this.source = source;
    this.text = text;
    this.notMet = notMet;
  }

  /** Why a SHOULD is not met. */
  Optional<String> notMet() {
    return Optional.ofNullable(notMet);
  }
}
