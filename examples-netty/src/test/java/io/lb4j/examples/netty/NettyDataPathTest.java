package io.lb4j.examples.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.dsr.DirectServerReturn;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.Verdict;
import io.lb4j.gateway.Gateway;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every frame that a test makes is held by the test as well, so that its count tells whether somebody else has it. */
class NettyDataPathTest {
  private static final String LB_MAC = "02:00:00:00:00:05";
  private static final String ROUTER_MAC = "02:00:00:00:00:01";
  private static final String SERVER_MAC = "02:00:00:00:00:11";

  private final List<ByteBuf> made = new ArrayList<>();
  private final List<EmbeddedChannel> channels = new ArrayList<>();
  private long nowNs = 1_000_000_000L;
  private boolean brokenClock;
  private LoadBalancer balancer;

  @AfterEach
  void everyFrameHasOneOwnerOrNone() {
    channels.forEach(EmbeddedChannel::finishAndReleaseAll);
    made.forEach(frame -> assertThat(frame.refCnt()).as("%s", frame).isEqualTo(1));
    made.forEach(ByteBuf::release);
    assertThat(balancer.statistics().holds()).isTrue();
    balancer.close();
  }

  private static LoadBalancerBuilder builder() {
    return LoadBalancer.builder().announcements(AnnouncementSettings.off()).flowTable(1024).seed(7);
  }

  private NettyDataPath direct(boolean hostStack, boolean known) {
    LoadBalancerBuilder builder = builder()
        .networkInterface(
            "lan", i -> i.mac(LB_MAC).address("192.0.2.5/24", "2001:db8:5::5/64").hostStack(hostStack))
        .clock(() -> nowNs)
        .service(VirtualService.tcp("192.0.2.100", 80).named("web4")
            .forwarding(DirectServerReturn.create()).realServer("s1", "192.0.2.11"))
        .service(VirtualService.tcp("2001:db8:5::100", 80).named("web6")
            .forwarding(DirectServerReturn.create()).realServer("s1", "2001:db8:5::11"));
    if (known) {
      builder.neighbor("192.0.2.11", SERVER_MAC).neighbor("2001:db8:5::11", SERVER_MAC);
    }
    balancer = builder.build();
    return new NettyDataPath(balancer, this::nowNs);
  }

  private long nowNs() {
    if (brokenClock) {
      throw new IllegalStateException("a defect");
    }
    return nowNs;
  }

  private EmbeddedChannel channel(ChannelHandler... handlers) {
    EmbeddedChannel channel = new EmbeddedChannel(handlers);
    channels.add(channel);
    return channel;
  }

  private ByteBuf keep(ByteBuf frame) {
    ByteBuf copy = UnpooledByteBufAllocator.DEFAULT.directBuffer().writeBytes(frame);
    frame.release();
    made.add(copy);
    return copy.retain();
  }

  private ByteBuf syn(boolean v6, int clientPort) {
    String client = v6 ? "2001:db8:c::7" : "198.51.100.7";
    String vip = v6 ? "2001:db8:5::100" : "192.0.2.100";
    return keep(FrameBuilder.from(client, vip).macs(LB_MAC, ROUTER_MAC).tcp(clientPort, 80, TcpHeader.SYN).build());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldWriteTheFrameItselfWithNewMacs(boolean v6) {
    EmbeddedChannel channel = channel(direct(false, true).handler(0));
    ByteBuf frame = syn(v6, 40_000);
    String rest = ByteBufUtil.hexDump(frame, 12, frame.readableBytes() - 12);

    channel.writeInbound(frame);

    ByteBuf sent = channel.readOutbound();
    assertThat(sent).isSameAs(frame);
    assertThat(ByteBufUtil.hexDump(sent)).isEqualTo("020000000011" + "020000000005" + rest);
    sent.release();
    assertThat(channel.<Object>readInbound()).isNull();
    assertThat(balancer.statistics().count(Verdict.FORWARD)).isEqualTo(1);
  }

  @Test
  void shouldReleaseWhatIsDropped() {
    EmbeddedChannel channel = channel(direct(false, true).handler(0));

    channel.writeInbound(
        keep(FrameBuilder.from("198.51.100.7", "192.0.2.100").macs(LB_MAC, ROUTER_MAC).udp(5, 5).build()),
        keep(UnpooledByteBufAllocator.DEFAULT.buffer().writeZero(7)));

    assertThat(channel.<Object>readOutbound()).isNull();
    assertThat(balancer.statistics().received()).isEqualTo(2);
  }

  @Test
  void shouldLeaveToTheNextHandlerWhatIsTheHosts() {
    EmbeddedChannel channel = channel(direct(true, true).handler(0));
    ByteBuf ssh = keep(FrameBuilder.from("198.51.100.7", "192.0.2.5").macs(LB_MAC, ROUTER_MAC)
        .tcp(40_000, 22, TcpHeader.SYN).build());

    channel.writeInbound(ssh, "not a frame");

    assertThat(channel.<Object>readInbound()).isEqualTo("not a frame"); // a frame waits until its read is complete
    assertThat(channel.<Object>readInbound()).isSameAs(ssh);
    ssh.release();
  }

  @Test
  void shouldAnswerEchoRequestsInPlace() {
    EmbeddedChannel channel = channel(direct(false, true).handler(0));
    ByteBuf ping = keep(FrameBuilder.from("198.51.100.7", "192.0.2.100").macs(LB_MAC, ROUTER_MAC)
        .icmp(8, 0, new byte[] {0, 1, 0, 1}).build());

    channel.writeInbound(ping);

    ByteBuf pong = channel.readOutbound();
    assertThat(pong).isSameAs(ping);
    assertThat(pong.getByte(14 + 20)).isZero();
    pong.release();
  }

  @Test
  void shouldWorkOnMoreFramesThanABatchHolds() {
    EmbeddedChannel channel = channel(direct(false, true).handler(0));
    Object[] frames = new Object[2 * FrameBatch.CAPACITY + 3];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = syn(i % 2 == 0, 40_000 + i);
    }

    channel.writeInbound(frames);

    assertThat(channel.outboundMessages()).containsExactly(frames);
    assertThat(balancer.statistics().count(Verdict.FORWARD)).isEqualTo(frames.length);
  }

  @Test
  void shouldReleaseTheFrameWhoseCopyWaitsForItsNextHop() {
    EmbeddedChannel channel = channel(direct(false, false).handler(0));
    ByteBuf frame = syn(false, 40_000);

    channel.writeInbound(frame);

    assertThat(frame.refCnt()).isEqualTo(1);
    ByteBuf request = channel.readOutbound();
    assertThat(request.getUnsignedShort(12)).as("an ARP request").isEqualTo(0x0806);
    request.release();
    String answer = "020000000005" + "020000000011" + "0806" + "0001080006040002"
        + "020000000011" + "c000020b" + "020000000005" + "c0000205";
    channel.writeInbound(
        keep(UnpooledByteBufAllocator.DEFAULT.buffer().writeBytes(ByteBufUtil.decodeHexDump(answer))));
    ByteBuf held = channel.readOutbound();
    assertThat(ByteBufUtil.hexDump(held, 0, 12)).isEqualTo("020000000011020000000005");
    held.release();
  }

  @Test
  void shouldAskAgainWhenTimeHasCome() {
    EmbeddedChannel channel = channel(direct(false, false).handler(0));
    channel.freezeTime();
    channel.writeInbound(syn(false, 40_000));
    channel.releaseOutbound();

    nowNs += 1_100_000_000L;
    channel.advanceTimeBy(1100, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();

    ByteBuf request = channel.readOutbound();
    assertThat(request.getUnsignedShort(12)).as("an ARP request").isEqualTo(0x0806);
    request.release();
  }

  @Test
  void shouldForwardBetweenChannels() {
    balancer = builder()
        .networkInterface("wan", i -> i.mac(LB_MAC).address("198.51.100.5/24"))
        .networkInterface("lan", i -> i.mac("02:00:00:00:00:06").address("192.0.2.5/24"))
        .neighbor("192.0.2.11", SERVER_MAC)
        .neighbor("198.51.100.7", ROUTER_MAC)
        .clock(() -> nowNs)
        .service(VirtualService.tcp("198.51.100.100", 80).named("web")
            .forwarding(Gateway.create()).realServer("s1", "192.0.2.11", s -> s.port(8080)))
        .build();
    NettyDataPath path = new NettyDataPath(balancer, () -> nowNs);
    EmbeddedChannel wan = channel(path.handler(0));
    EmbeddedChannel lan = channel(path.handler(1));
    ByteBuf syn = keep(FrameBuilder.from("198.51.100.7", "198.51.100.100").macs(LB_MAC, ROUTER_MAC)
        .tcp(40_000, 80, TcpHeader.SYN).build());

    wan.writeInbound(syn);

    ByteBuf request = lan.readOutbound();
    assertThat(request).isSameAs(syn);
    assertThat(request.getUnsignedShort(14 + 20 + 2)).isEqualTo(8080);
    request.release();
    ByteBuf answer = keep(FrameBuilder.from("192.0.2.11", "198.51.100.7").macs("02:00:00:00:00:06", SERVER_MAC)
        .tcp(8080, 40_000, TcpHeader.SYN | TcpHeader.ACK).build());
    lan.writeInbound(answer);
    ByteBuf reply = wan.readOutbound();
    assertThat(reply).isSameAs(answer);
    reply.release();
    lan.close();
    wan.writeInbound(keep(FrameBuilder.from("198.51.100.7", "198.51.100.100").macs(LB_MAC, ROUTER_MAC)
        .tcp(40_001, 80, TcpHeader.SYN).build()));
    assertThat(balancer.statistics().refused()).isEqualTo(1);
  }

  @Test
  void shouldGiveNothingToAChannelThatDoesNotKeepUp() {
    EmbeddedChannel channel = channel(direct(false, true).handler(0));
    channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);

    channel.writeInbound(syn(false, 40_000));

    assertThat(channel.<Object>readOutbound()).isNull();
    assertThat(balancer.statistics().refused()).isEqualTo(1);
  }

  @Test
  void shouldReleaseFramesOfABurstThatFails() {
    EmbeddedChannel channel = channel(direct(false, true).handler(0));
    brokenClock = true;

    assertThatThrownBy(() -> channel.writeInbound(syn(false, 40_000), syn(true, 40_001))).hasMessage("a defect");

    brokenClock = false;
    channel.writeInbound(syn(false, 40_000));
    assertThat(channel.outboundMessages()).hasSize(1);
  }

  @Test
  void shouldRefuseASecondChannelOfAnInterface() {
    NettyDataPath path = direct(false, true);
    channel(path.handler(0));

    EmbeddedChannel second = new EmbeddedChannel();
    channels.add(second);
    assertThatThrownBy(
            () -> {
              second.pipeline().addLast(path.handler(0));
              second.checkException();
            })
        .hasRootCauseMessage("interface 0 has a channel: " + channels.get(0));
    assertThatThrownBy(() -> path.handler(1)).isInstanceOf(IndexOutOfBoundsException.class);
  }
}
