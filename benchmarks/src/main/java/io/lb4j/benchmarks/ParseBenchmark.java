package io.lb4j.benchmarks;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * From a frame's bytes to its five-tuple, TCP flags and payload length. Frames come from beyond the second-level cache.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(FramePool.SIZE)
@Fork(value = 2, jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "-Dio.netty.leakDetectionLevel=disabled"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ParseBenchmark {
  /** IP version. */
  @Param({"4", "6"})
  public int family;

  private final FrameBatch batch = new FrameBatch();
  private FramePool pool;
  private byte[][] arrays;

  /** Writes frames of 4,096 flows. */
  @Setup
  public void write() {
    pool = new FramePool(new Flows(family == 6));
    arrays = new byte[FramePool.SIZE][];
    for (int i = 0; i < FramePool.SIZE; i++) {
      pool.write(pool.frames[i], i, TcpHeader.ACK);
      arrays[i] = new byte[pool.frames[i].readableBytes()];
      pool.frames[i].getBytes(0, arrays[i]);
    }
  }

  /** Puts the frames out of the caches; not measured. */
  @Setup(Level.Invocation)
  public void evict() {
    pool.evict();
  }

  /** Gives the memory back. */
  @TearDown
  public void release() {
    pool.release();
  }

  /** Batches of 32 into views that are used again. */
  @Benchmark
  public int views() {
    int sum = 0;
    ByteBuf[] frames = pool.frames;
    for (int i = 0; i < FramePool.SIZE; i += FrameBatch.CAPACITY) {
      batch.clear();
      int touched = 0;
      for (int j = i; j < i + FrameBatch.CAPACITY; j++) {
        batch.add(frames[j], 0, frames[j].readableBytes(), FrameMarks.NONE, 0);
        touched += batch.get(j - i).touch();
      }
      sum += touched & 1;
      for (int j = 0; j < FrameBatch.CAPACITY; j++) {
        FrameView view = batch.get(j);
        if (FrameParser.parse(view) == FrameKind.SEGMENT) {
          sum += (int) view.sourceLow() + (int) view.destinationLow() + view.ports() + view.tcpFlags()
              + view.payloadLength();
        }
      }
    }
    return sum;
  }

  /** Field by field through Netty's getters, into a record. */
  @Benchmark
  public int baselineGetters() {
    int sum = 0;
    for (ByteBuf frame : pool.frames) {
      PlainFlowKey key = PlainFlowKey.of(frame);
      int transport = family == 6 ? 54 : 34;
      sum += (int) key.sourceLow() + (int) key.destinationLow() + key.ports() + frame.getByte(transport + 13);
    }
    return sum;
  }

  /** An object for each header, with its addresses and its payload as objects of their own. */
  @Benchmark
  public int baselineObjects() throws UnknownHostException {
    int sum = 0;
    for (byte[] frame : arrays) {
      PlainPacket packet = PlainPacket.of(frame);
      sum += packet.ip().source().hashCode() + packet.tcp().sourcePort() + packet.tcp().destinationPort();
    }
    return sum;
  }
}
