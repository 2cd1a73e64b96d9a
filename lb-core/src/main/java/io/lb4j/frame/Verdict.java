package io.lb4j.frame;

/**
 * How a frame ends. Every received frame ends in exactly one verdict other than {@link #HOLD} and {@link #HANDED_OVER},
 * and each is counted: {@code received = sum of final verdicts + held now}. A miss or a refusal is a value, never an
 * exception. Immutable, shared.
 */
public enum Verdict {
  /** Rewritten in place; to be sent on its egress interface. */
  FORWARD(Kind.FORWARD, "sent to a real server"),
  /** Answered by the balancer: in place on its egress interface, or by a frame given to the output. */
  ANSWER(Kind.ANSWER, "answered by the balancer"),
  /** None of ours: left as it came for the host beside us. */
  PASS(Kind.PASS, "left to the host"),
  /** What the balancer asked of a server, or of its network, was answered: it ends here. */
  PROBE_ANSWERED(Kind.TAKEN, "an answer to a probe of ours"),
  /** Copied and waiting, for a neighbour or for a first fragment; a final verdict follows. */
  HOLD(Kind.HOLD, "waiting for a neighbour or a first fragment"),
  /** Gone to the worker that has its flow, which ends it and counts its final verdict; never counted itself. */
  HANDED_OVER(Kind.HOLD, "on its way to the worker that has its flow"),

  /** Shorter than an Ethernet header, or than the header its type announces. */
  FRAME_TOO_SHORT("shorter than the headers it announces"),
  /** Captured with its end missing. */
  FRAME_TRUNCATED("the capture cut its end off"),
  /** The destination MAC is neither ours nor a group we listen to. */
  OTHER_DESTINATION_MAC("destination MAC is not ours"),
  /** The source MAC is ours: our own frame came back. */
  OWN_FRAME("our own frame came back: loop or duplicate MAC"),
  /** The source MAC has the group bit set. */
  SOURCE_MAC_GROUP("source MAC is a group address"),
  /** More than two VLAN tags. */
  VLAN_TOO_DEEP("more than two VLAN tags"),

  /** IPv4 EtherType without version 4. */
  IPV4_VERSION("version is not 4"),
  /** IHL below 5, or options beyond the packet. */
  IPV4_HEADER_LENGTH("header length is not in 20..total length"),
  /** Total length beyond the frame, or below the header. */
  IPV4_TOTAL_LENGTH("total length does not fit the frame"),
  /** The header checksum is wrong (RFC 1812, section 5.2.2). */
  IPV4_CHECKSUM("header checksum is wrong"),
  /** Time to live 0 on arrival. */
  IPV4_TIME_TO_LIVE("time to live is 0"),
  /** IPv6 EtherType without version 6. */
  IPV6_VERSION("version is not 6"),
  /** Payload length beyond the frame. */
  IPV6_PAYLOAD_LENGTH("payload length does not fit the frame"),
  /** Hop limit 0 on arrival. */
  IPV6_HOP_LIMIT("hop limit is 0"),
  /** More than 8 extension headers or 256 bytes of them, or hop-by-hop options out of place. */
  IPV6_EXTENSION_CHAIN("extension headers are too many, too long or out of order"),
  /** An extension header ends beyond the packet. */
  IPV6_EXTENSION_LENGTH("an extension header does not fit the packet"),
  /** A multicast, unspecified or loopback source (RFC 1122, section 3.2.1.3; RFC 4291). */
  SOURCE_ADDRESS("source address cannot be a sender"),
  /** Source and destination are the same address (the "land" packet). */
  SOURCE_IS_DESTINATION("source and destination are the same address"),

  /** TCP header shorter than 20 bytes or beyond the packet. */
  TCP_HEADER_LENGTH("TCP header does not fit the packet"),
  /** A combination of SYN, FIN, RST and ACK that no TCP sends. */
  TCP_FLAGS("TCP flags that contradict each other"),
  /** UDP header beyond the packet. */
  UDP_HEADER_LENGTH("UDP header does not fit the packet"),
  /** UDP length below 8 or beyond the packet. */
  UDP_LENGTH("UDP length does not fit the packet"),
  /** Source or destination port 0. */
  PORT_ZERO("port 0"),

  /** ICMP shorter than its header or its message. */
  ICMP_TOO_SHORT("ICMP message is too short"),
  /** The ICMP checksum is wrong. */
  ICMP_CHECKSUM("ICMP checksum is wrong"),
  /** An ICMP error whose quoted packet cannot be read. */
  ICMP_QUOTE("the packet that the ICMP error quotes cannot be read"),
  /** An ICMP error about a flow nobody has. */
  ICMP_NO_FLOW("ICMP error about an unknown flow"),
  /** An ICMP message to a virtual address that is neither echo nor error. */
  ICMP_NOT_SERVED("ICMP message that a virtual service does not answer"),
  /** An echo request that the settings do not answer. */
  ECHO_REFUSED("echo requests are refused by the settings"),
  /** ARP that is too short or not for IPv4 over Ethernet. */
  ARP_MALFORMED("ARP that cannot be read"),
  /** Neighbour discovery or MLD that fails RFC 4861, section 7.1 or RFC 3810. */
  NEIGHBOR_MESSAGE_MALFORMED("neighbour discovery message that cannot be read"),

  /** A fragment that is not last and not a multiple of 8, or that ends beyond 65,535 bytes. */
  FRAGMENT_LENGTH("fragment length is impossible"),
  /** A first fragment without its whole transport header, or a TCP fragment at offset 8 (RFC 1858). */
  FRAGMENT_TINY("fragment cuts the transport header"),
  /** The first fragment did not come in time. */
  FRAGMENT_NO_FIRST("the first fragment did not come in time"),
  /** No room to wait for the first fragment. */
  FRAGMENT_NO_ROOM("no room to hold the fragment"),
  /** The datagram's first fragment was refused. */
  FRAGMENT_REFUSED("the first fragment was refused"),

  /** To a virtual address, or to cross, while another instance is active. */
  PASSIVE("the balancer is passive"),
  /** A virtual address without a service on this port. */
  NO_SERVICE("no virtual service on this port"),
  /** A virtual address without a service for this protocol. */
  PROTOCOL_NOT_SERVED("no virtual service for this protocol"),
  /** The service is disabled. */
  SERVICE_DISABLED("the virtual service is disabled"),
  /** The service's access list does not admit the client. */
  CLIENT_DENIED("the service does not admit the client"),
  /** The connection limits of the service or its servers are reached. */
  CONNECTION_LIMIT("connection limits are reached"),
  /** No real server takes new flows. */
  NO_SERVER("no real server is eligible"),
  /** A TCP segment without SYN that belongs to no flow. */
  TCP_NOT_SYN("TCP segment of an unknown flow"),
  /** The flow's real server was removed, or is offline. */
  SERVER_GONE("the flow's real server was removed or is offline"),
  /** The flow table is full and its overflow policy spares all that it holds. */
  FLOW_TABLE_FULL("the flow table is full"),
  /** Half-open flows have used up their share of the flow table. */
  EMBRYONIC_LIMIT("half-open flows have used up their share"),

  /** The next hop did not answer ARP or neighbour discovery. */
  NEIGHBOR_UNREACHABLE("the next hop does not answer"),
  /** Too many frames wait for this next hop. */
  NEIGHBOR_QUEUE_FULL("too many frames wait for the next hop"),
  /** No route leads to the destination. */
  NO_ROUTE("no route leads to the destination"),
  /** Neither a service's traffic nor traffic that an inside host may start. */
  NOT_ROUTED("no rule lets this traffic cross"),
  /** A source on an interface that does not lead to it (RFC 3704), or an address of our own (RFC 1812, 5.3.8). */
  SOURCE_SPOOFED("source address does not belong on this interface"),
  /** The time to live or hop limit ran out here. */
  TIME_EXCEEDED("time to live ran out"),
  /** Too big for the way out, and not to be fragmented. */
  PACKET_TOO_BIG("larger than the way out allows"),
  /** Inbound traffic that no mapping wants. */
  NO_MAPPING("no mapping for inbound traffic"),
  /** Inbound traffic from somebody whom the mapping's owner did not send to. */
  FILTERED("the mapping does not admit this sender"),
  /** An inbound SYN that nobody asked for, in the end unanswered or rejected. */
  UNSOLICITED_SYN("unsolicited inbound SYN"),
  /** An unsolicited SYN that met an outbound one. */
  SYN_MET_OUTBOUND("unsolicited SYN superseded by an outbound one"),
  /** No external port is free. */
  NAT_PORTS_EXHAUSTED("no external port is free"),
  /** Reply and client cannot be told from another session's. */
  NAT_TUPLE_IN_USE("addresses and ports are used by another session"),
  /** Client and server share a subnet: the answer would not pass here. */
  CLIENT_IS_NEIGHBOR("client and server share a subnet, so the answer would not pass here"),
  /** A protocol that addresses cannot be translated for. */
  NAT_PROTOCOL("protocol cannot be translated"),
  /** A super-frame for a port that cannot carry it. */
  GSO_NOT_CARRIED("a super-frame that the port cannot carry"),
  /** The queue to the worker that the frame belongs to is full. */
  WORKER_QUEUE_FULL("the queue to the frame's worker is full"),
  /** Still waiting when the data path was closed. */
  CLOSED_WHILE_HELD("still waiting when the data path was closed");

  /** What a verdict means for the frame. */
  public enum Kind {
    /** To be sent. */
    FORWARD,
    /** Answered. */
    ANSWER,
    /** Left to the host. */
    PASS,
    /** For the balancer itself, which took it. */
    TAKEN,
    /** Not final. */
    HOLD,
    /** Gone, with a reason. */
    DROP
  }

  private static final Verdict[] VALUES = values();

  private final Kind kind;
  private final String reason;

  Verdict(Kind kind, String reason) {
    this.kind = kind;
    this.reason = reason;
  }

  Verdict(String reason) {
    this(Kind.DROP, reason);
  }

  /**
   * What the verdict means.
   *
   * @return one of six
   */
  public Kind kind() {
    return kind;
  }

  /**
   * Whether the frame is gone.
   *
   * @return true for every refusal
   */
  public boolean isDrop() {
    return kind == Kind.DROP;
  }

  /**
   * Why, in words.
   *
   * @return a phrase without a full stop
   */
  public String reason() {
    return reason;
  }

  /**
   * The verdict with an ordinal, without copying the array of all.
   *
   * @param ordinal 0..{@link #count()}-1
   * @return the verdict
   */
  public static Verdict of(int ordinal) {
    return VALUES[ordinal];
  }

  /**
   * How many verdicts there are.
   *
   * @return their number
   */
  public static int count() {
    return VALUES.length;
  }
}
