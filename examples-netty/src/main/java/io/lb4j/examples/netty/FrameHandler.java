package io.lb4j.examples.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** An interface of a {@link NettyDataPath}: the frames that its channel reads. Owned by the event loop. */
final class FrameHandler extends ChannelInboundHandlerAdapter {
  private final NettyDataPath path;
  private final int link;

  FrameHandler(NettyDataPath path, int link) {
    this.path = path;
    this.link = link;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    path.attach(link, context);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    path.detach(link);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof ByteBuf frame) {
      path.read(link, frame);
    } else {
      context.fireChannelRead(message);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    path.readComplete();
    context.fireChannelReadComplete();
  }
}
