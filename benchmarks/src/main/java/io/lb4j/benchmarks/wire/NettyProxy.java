package io.lb4j.benchmarks.wire;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;

/**
 * A TCP proxy as one writes it with Netty: servers in turn, back pressure in both directions, both sides of a
 * connection on one event loop, the transport that the JDK brings (NIO).
 *
 * <pre>
 *   NettyProxy THREADS LISTEN=SERVER[,SERVER...] ...      where each is ADDRESS/PORT
 * </pre>
 */
public final class NettyProxy {
  private final EventLoopGroup loops;
  private final List<InetSocketAddress> servers;
  private int next; // of the one loop that accepts

  private NettyProxy(EventLoopGroup loops, List<InetSocketAddress> servers) {
    this.loops = loops;
    this.servers = servers;
  }

  /**
   * Proxies until it is ended.
   *
   * @param arguments as above
   * @throws InterruptedException never, unless the thread is interrupted
   */
  public static void main(String... arguments) throws InterruptedException {
    EventLoopGroup loops =
        new MultiThreadIoEventLoopGroup(Integer.parseInt(arguments[0]), NioIoHandler.newFactory());
    for (String rule : List.of(arguments).subList(1, arguments.length)) {
      String[] sides = rule.split("=");
      new NettyProxy(loops, Arrays.stream(sides[1].split(",")).map(NettyProxy::address).toList())
          .listen(address(sides[0]));
    }
    System.out.println("ready");
  }

  private static InetSocketAddress address(String text) {
    String[] parts = text.split("/");
    return new InetSocketAddress(parts[0], Integer.parseInt(parts[1]));
  }

  private void listen(InetSocketAddress at) throws InterruptedException {
    new ServerBootstrap()
        .group(loops)
        .channel(NioServerSocketChannel.class)
        .option(ChannelOption.SO_BACKLOG, 4096)
        .option(ChannelOption.SO_REUSEADDR, true)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childHandler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel client) {
                connect(client);
              }
            })
        .bind(at)
        .sync();
  }

  private synchronized InetSocketAddress nextServer() {
    next = next + 1 == servers.size() ? 0 : next + 1;
    return servers.get(next);
  }

  private void connect(Channel client) {
    new Bootstrap()
        .group(client.eventLoop())
        .channel(NioSocketChannel.class)
        .option(ChannelOption.AUTO_READ, false)
        .option(ChannelOption.TCP_NODELAY, true)
        .handler(new Copy(client))
        .connect(nextServer())
        .addListener((ChannelFuture connected) -> join(client, connected));
  }

  private static void join(Channel client, ChannelFuture connected) {
    Channel server = connected.channel();
    if (!connected.isSuccess() || !client.isActive()) {
      server.close();
      client.close();
      return;
    }
    client.pipeline().addLast(new Copy(server));
    client.config().setAutoRead(true);
    server.config().setAutoRead(true);
  }

  /** Writes to the other side what one side reads, and lets it read only while the other takes it. */
  private static final class Copy extends ChannelInboundHandlerAdapter {
    private final Channel other;

    Copy(Channel other) {
      this.other = other;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object bytes) {
      other.write(bytes, other.voidPromise());
      if (!other.isWritable()) {
        context.channel().config().setAutoRead(false);
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      other.flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      other.config().setAutoRead(context.channel().isWritable());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      other.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }
}
