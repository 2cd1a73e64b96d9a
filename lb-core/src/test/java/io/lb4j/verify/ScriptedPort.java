package io.lb4j.verify;

import io.lb4j.address.MacAddress;
import io.lb4j.frame.FrameBatch;
import io.lb4j.port.Port;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortTraits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;

/** A port whose network answers at once, and whose waiting moves the clock of the test. */
final class ScriptedPort implements Port, PortQueue {
  final List<byte[]> sent = new ArrayList<>();
  private final PortTraits traits;
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private final List<Function<byte[], List<byte[]>>> hosts = new ArrayList<>();
  private long nowNs;

  ScriptedPort(MacAddress mac) {
    traits = new PortTraits(mac, 1500, List.of(), false, false, false);
  }

  void host(Function<byte[], List<byte[]>> host) {
    hosts.add(host);
  }

  long nanoTime() {
    return nowNs;
  }

  @Override
  public boolean transmit(ByteBuf buffer, int start, int length, long marks) {
    byte[] frame = new byte[length];
    buffer.getBytes(start, frame);
    sent.add(frame);
    hosts.forEach(host -> waiting.addAll(host.apply(frame))); // which do not change it
    return true;
  }

  @Override
  public int receive(FrameBatch batch, int ingress) {
    int count = 0;
    while (!waiting.isEmpty() && batch.room() > 0) {
      byte[] frame = waiting.poll();
      batch.add(Unpooled.wrappedBuffer(frame), 0, frame.length, 0, ingress);
      count++;
    }
    return count;
  }

  @Override
  public void await(long timeoutNs) {
    nowNs += timeoutNs;
  }

  @Override
  public void release() {}

  @Override
  public int flush() {
    return 0;
  }

  @Override
  public String name() {
    return "eth0";
  }

  @Override
  public PortTraits traits() {
    return traits;
  }

  @Override
  public int queues() {
    return 1;
  }

  @Override
  public PortQueue queue(int index) {
    return this;
  }

  @Override
  public void join(MacAddress address) {}

  @Override
  public PortStatus status() {
    return PortStatus.UP;
  }

  @Override
  public PortCounters counters() {
    return new PortCounters(0, 0, 0, 0, 0, 0);
  }

  @Override
  public void close() {}
}
