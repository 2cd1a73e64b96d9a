package io.lb4j.neighbor;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.InterfaceAddress;
import io.lb4j.address.IpAddress;
import io.lb4j.address.IpPrefix;
import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.topology.Link;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Two links, a clock that tests move, and everything the link layer sent. Closing it proves that every buffer was
 * released.
 */
final class Lan implements AutoCloseable {
  static final long SECOND = 1_000_000_000L;
  static final MacAddress OWN = MacAddress.of("02:00:00:00:00:01");
  static final MacAddress OWN_TOO = MacAddress.of("02:00:00:00:00:02");
  static final MacAddress PEER = MacAddress.of("02:00:00:80:ff:21");
  static final MacAddress OTHER = MacAddress.of("02:00:00:80:ff:99");

  /** A frame that was sent: when, where and what. */
  record Sent(long atNs, int link, String hex, long marks) {
    boolean is(String expected) {
      return hex.equals(expected);
    }
  }

  final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
  final NeighborTable table = new NeighborTable();
  final List<String> events = new ArrayList<>();
  final List<Sent> sent = new ArrayList<>();
  final List<Link> links;
  final FrameView view = new FrameView();
  final LinkLayer layer;
  long now;
  long deadline;

  private Lan(boolean hostStack, AnnouncementSettings announcements, long seed, long startNs, String... vips) {
    now = startNs;
    links =
        List.of(
            link(0, "eth0", OWN, hostStack, "192.0.2.5/24", "2001:db8:1::5/64"),
            link(1, "eth1", OWN_TOO, hostStack, "198.51.100.5/24", "2001:db8:2::5/64"));
    layer =
        new LinkLayer(
            owned(vips),
            table,
            NeighborSettings.defaults(),
            announcements,
            new SplittableRandom(seed),
            allocator,
            listener());
  }

  static Lan quiet(String... vips) {
    return new Lan(true, AnnouncementSettings.off(), 1, 0, vips);
  }

  static Lan withoutHost(String... vips) {
    return new Lan(false, AnnouncementSettings.off(), 1, 0, vips);
  }

  static Lan announcing(AnnouncementSettings settings, String... vips) {
    return new Lan(true, settings, 1, 0, vips);
  }

  static Lan seeded(long seed, long startNs, String... vips) {
    return new Lan(true, AnnouncementSettings.defaults(), seed, startNs, vips);
  }

  private static Link link(int index, String name, MacAddress mac, boolean hostStack, String... addresses) {
    return new Link(
        index, name, mac, 1500, List.of(addresses).stream().map(InterfaceAddress::of).toList(), hostStack, true, true);
  }

  OwnedAddresses owned(String... vips) {
    OwnedAddresses.Builder builder = OwnedAddresses.builder(links);
    List.of(vips).forEach(vip -> builder.virtualAddress(IpPrefix.of(vip)));
    return builder.build();
  }

  private NeighborListener listener() {
    return new NeighborListener() {
      @Override
      public void neighborFound(int link, IpAddress address, MacAddress mac) {
        events.add("found " + address + " " + mac);
      }

      @Override
      public void neighborLost(int link, IpAddress address, MacAddress mac) {
        events.add("lost " + address + " " + mac);
      }

      @Override
      public void neighborMoved(int link, IpAddress address, MacAddress from, MacAddress to, int changes) {
        events.add("moved " + address + " " + from + " " + to + " " + changes);
      }

      @Override
      public void virtualAddressClaimed(int link, IpAddress address) {
        events.add("claimed " + address);
      }

      @Override
      public void virtualAddressConflict(int link, IpAddress address, MacAddress other, boolean claimed) {
        events.add("conflict " + address + " " + other + " " + claimed);
      }

      @Override
      public void serverClaims(int link, IpAddress server, MacAddress mac, IpAddress address, boolean asking) {
        events.add("server " + server + " " + mac + " " + address + " " + asking);
      }
    };
  }

  boolean transmit(int link, ByteBuf frame, long marks) {
    byte[] bytes = new byte[frame.readableBytes()];
    frame.readBytes(bytes);
    frame.release();
    sent.add(new Sent(now, link, HexFormat.of().formatHex(bytes), marks));
    return true;
  }

  /** Moves the clock, and ticks at each deadline on the way. */
  void run(double seconds) {
    long end = now + (long) (seconds * SECOND);
    tick();
    while (end - deadline >= 0) {
      now = deadline - now > 0 ? deadline : now;
      tick();
    }
    now = end;
  }

  void tick() {
    deadline = layer.tick(now, this::transmit);
  }

  Verdict receive(String hex) {
    return receive(0, hex, FrameMarks.NONE);
  }

  /** Parses a frame between two guard bytes that must not be touched, and gives it to the link layer. */
  Verdict receive(int link, String hex, long marks) {
    byte[] frame = HexFormat.of().parseHex(hex);
    ByteBuf buffer = Unpooled.buffer(frame.length + 16, frame.length + 16).writeZero(8).writeBytes(frame).writeZero(8);
    view.wrap(buffer, 8, frame.length, marks, link);
    FrameKind kind = FrameParser.parse(view);
    Verdict verdict =
        kind == FrameKind.ARP
            ? layer.onArp(view, now, this::transmit)
            : kind == FrameKind.ICMP ? layer.onNeighborMessage(view, now, this::transmit) : view.verdict();
    assertThat(buffer.getLong(0)).isZero();
    assertThat(buffer.getLong(8 + frame.length)).isZero();
    return verdict;
  }

  /** The bytes of the frame received last, as they are now. */
  String inPlace() {
    byte[] bytes = new byte[view.length()];
    view.buffer().getBytes(view.start(), bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** The frames sent since the last question. */
  List<String> takeSent() {
    List<String> frames = sent.stream().map(Sent::hex).toList();
    sent.clear();
    return frames;
  }

  List<String> takeEvents() {
    List<String> taken = List.copyOf(events);
    events.clear();
    return taken;
  }

  @Override
  public void close() {
    assertThat(allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory()).isZero();
  }
}
