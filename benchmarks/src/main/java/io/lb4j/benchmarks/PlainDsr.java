package io.lb4j.benchmarks;

import com.github.benmanes.caffeine.cache.Cache;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Direct Server Return as one would write it first: frame by frame, field by field, flows in a map. It checks what the
 * data path checks of a segment, counts per flow and server, and rewrites both MAC addresses. A SYN begins a flow: its
 * service from a hash map, its server by turns, or, with persistence, the one its client had. Flows do not expire.
 */
final class PlainDsr {
  /** A server's MAC address and counters. */
  static final class Server {
    private final long mac;
    private long packets;
    private long bytes;

    Server(long mac) {
      this.mac = mac;
    }
  }

  /** A flow. */
  static final class Flow {
    private final Server server;
    private long lastSeenNs;
    private int nextSequence;

    Flow(Server server) {
      this.server = server;
    }
  }

  /** A virtual address and port. */
  record Destination(long high, long low, int port) {}

  /** A service that gives its servers by turns. */
  static final class Service {
    private final Server[] servers;
    private int next;

    Service(Server[] servers) {
      this.servers = servers;
    }

    Server next() {
      Server server = servers[next];
      next = next + 1 == servers.length ? 0 : next + 1;
      return server;
    }
  }

  /** A client of a service. */
  record Client(long high, long low, Destination destination) {}

  private final Map<PlainFlowKey, Flow> flows;
  private final Map<Destination, Service> services = new HashMap<>();
  private final @Nullable Cache<Client, Server> clients;
  private final long balancerMac;
  private long received;

  PlainDsr(long balancerMac, Map<PlainFlowKey, Flow> flows) {
    this(balancerMac, flows, null);
  }

  /** With persistence, if there are clients to be remembered. */
  PlainDsr(long balancerMac, Map<PlainFlowKey, Flow> flows, @Nullable Cache<Client, Server> clients) {
    this.balancerMac = balancerMac;
    this.flows = flows;
    this.clients = clients;
  }

  void put(PlainFlowKey key, Flow flow) {
    flows.put(key, flow);
  }

  void put(Destination destination, Service service) {
    services.put(destination, service);
  }

  /** Ends the flow of a frame. */
  void end(ByteBuf frame) {
    if (flows.remove(PlainFlowKey.of(frame)) == null) {
      throw new IllegalStateException("there is no such flow");
    }
  }

  private @Nullable Flow begin(PlainFlowKey key) {
    Destination destination = new Destination(key.destinationHigh(), key.destinationLow(), key.ports() & 0xFFFF);
    Service service = services.get(destination);
    if (service == null) {
      return null;
    }
    Server server =
        clients == null
            ? service.next()
            : clients.get(new Client(key.sourceHigh(), key.sourceLow(), destination), client -> service.next());
    Flow flow = new Flow(server);
    flows.put(key, flow);
    return flow;
  }

  /** Answers whether the frame is to be sent on. */
  boolean process(ByteBuf frame, long nowNs) {
    received++;
    int length = frame.readableBytes();
    if (length < 54 || mac(frame, 0) != balancerMac) {
      return false;
    }
    PlainFlowKey key;
    int transport;
    int end;
    switch (frame.getUnsignedShort(12)) {
      case 0x0800 -> {
        int headerLength = (frame.getByte(14) & 0x0F) << 2;
        end = 14 + frame.getUnsignedShort(16);
        if (frame.getByte(14) >> 4 != 4
            || headerLength < 20
            || end > length
            || (frame.getUnsignedShort(20) & 0x3FFF) != 0
            || frame.getByte(22) == 0
            || !checksumIsRight(frame, headerLength)) {
          return false;
        }
        transport = 14 + headerLength;
        key =
            new PlainFlowKey(
                0,
                frame.getUnsignedInt(26),
                0,
                frame.getUnsignedInt(30),
                frame.getInt(transport),
                frame.getUnsignedByte(23));
      }
      case 0x86DD -> {
        transport = 54;
        end = transport + frame.getUnsignedShort(18);
        if (frame.getByte(14) >> 4 != 6 || end > length || frame.getByte(21) == 0) {
          return false;
        }
        key =
            new PlainFlowKey(
                frame.getLong(22),
                frame.getLong(30),
                frame.getLong(38),
                frame.getLong(46),
                frame.getInt(transport),
                frame.getUnsignedByte(20));
      }
      default -> {
        return false;
      }
    }
    if (key.protocol() != 6 || transport + 20 > end) {
      return false;
    }
    Flow flow = flows.get(key);
    if (flow == null) {
      flow = (frame.getByte(transport + 13) & 0x12) == 0x02 ? begin(key) : null;
      if (flow == null) {
        return false;
      }
    }
    flow.lastSeenNs = nowNs;
    flow.nextSequence = frame.getInt(transport + 4) + end - transport - 20;
    flow.server.packets++;
    flow.server.bytes += length;
    setMac(frame, 0, flow.server.mac);
    setMac(frame, 6, balancerMac);
    return true;
  }

  private static boolean checksumIsRight(ByteBuf frame, int headerLength) {
    int sum = 0;
    for (int at = 14; at < 14 + headerLength; at += 2) {
      sum += frame.getUnsignedShort(at);
    }
    return (sum & 0xFFFF) + (sum >>> 16) == 0xFFFF;
  }

  private static long mac(ByteBuf frame, int at) {
    return (long) frame.getUnsignedShort(at) << 32 | frame.getUnsignedInt(at + 2);
  }

  private static void setMac(ByteBuf frame, int at, long mac) {
    frame.setShort(at, (int) (mac >>> 32));
    frame.setInt(at + 2, (int) mac);
  }
}
