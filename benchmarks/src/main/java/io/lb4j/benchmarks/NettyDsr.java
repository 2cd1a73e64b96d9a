package io.lb4j.benchmarks;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;

/**
 * {@link PlainDsr} as a handler of a Netty channel: each frame is a message that is read, changed and written. What
 * would be the device at the channel's end counts and releases it. Owned by one thread.
 */
final class NettyDsr {
  private final Device device = new Device();
  private final EmbeddedChannel channel;

  /** Where written frames leave. */
  private static final class Device extends ChannelDuplexHandler {
    private int sent;

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      sent++;
      ((ByteBuf) message).release();
    }
  }

  private static final class Forwarding extends ChannelInboundHandlerAdapter {
    private final PlainDsr plain;
    private long nowNs;

    Forwarding(PlainDsr plain) {
      this.plain = plain;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf frame = (ByteBuf) message;
      nowNs += DsrNetwork.FRAME_NS;
      if (plain.process(frame, nowNs)) {
        context.write(frame, context.voidPromise());
      } else {
        frame.release();
      }
    }
  }

  NettyDsr(PlainDsr plain) {
    channel = new EmbeddedChannel(device, new Forwarding(plain));
  }

  /** Reads every frame; answers how many were written. The caller keeps them. */
  int run(ByteBuf[] frames) {
    int before = device.sent;
    for (ByteBuf frame : frames) {
      channel.pipeline().fireChannelRead(frame.retain());
    }
    channel.pipeline().fireChannelReadComplete();
    return device.sent - before;
  }

  void close() {
    channel.close();
  }
}
