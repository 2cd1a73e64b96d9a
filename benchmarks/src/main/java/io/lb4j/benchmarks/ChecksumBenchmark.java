package io.lb4j.benchmarks;

import io.lb4j.wire.InternetChecksum;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A checksum after one address has changed: by the difference (RFC 1624), or summed again over the packet. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "-Dio.netty.leakDetectionLevel=disabled"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ChecksumBenchmark {
  /** Bytes that the checksum is of. */
  @Param({"40", "1460", "65000"})
  public int bytes;

  private ByteBuf packet;
  private int checksum;
  private int word;

  /** Fills a packet with bytes. */
  @Setup
  public void fill() {
    packet = PooledByteBufAllocator.DEFAULT.directBuffer(bytes, bytes);
    SplittableRandom random = new SplittableRandom(42);
    for (int i = 0; i < bytes; i++) {
      packet.writeByte(random.nextInt());
    }
    checksum = InternetChecksum.finish(InternetChecksum.sum(packet, 0, bytes, 0));
  }

  /** Gives the memory back. */
  @TearDown
  public void release() {
    packet.release();
  }

  /** Two words replaced, as an IPv4 address is. */
  @Benchmark
  public int byDifference() {
    int old = word++ & 0xFFFF;
    int once = InternetChecksum.replace(checksum, old, old + 1 & 0xFFFF);
    return InternetChecksum.replace(once, old + 1 & 0xFFFF, old + 2 & 0xFFFF);
  }

  /** Four bytes at a time into 64 bits. */
  @Benchmark
  public int summedAgain() {
    return InternetChecksum.finish(InternetChecksum.sum(packet, 0, bytes, 0));
  }

  /** Word by word and folded each time, as one would write it first. */
  @Benchmark
  public int baselineWordByWord() {
    int sum = 0;
    for (int at = 0; at < bytes; at += 2) {
      sum += packet.getUnsignedShort(at);
      sum = (sum & 0xFFFF) + (sum >>> 16);
    }
    return ~sum & 0xFFFF;
  }
}
