package io.lb4j.pcap;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.pcap.CaptureBytes.Packet;
import io.lb4j.testkit.AllocatedBytes;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files changed at random, from a seed: only the documented exception, in bounded time and memory. */
class HostileCaptureTest {
  private static final int FILES_PER_SEED = 10_000;
  private static final long MAX_ALLOCATED_PER_FILE = 2_000_000;
  private static final int[] TELLING = {0, 1, -1, 4, 8, 12, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFC, 0x0A0D0D0A, 6, 3, 2};

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldEndEveryFileOrderly(long seed) throws Exception {
    AllocatedBytes.assumeCounted();
    Random random = new Random(seed);
    List<byte[]> originals = originals();
    originals.forEach(file -> readAll(file, seed, -1)); // loads classes
    long begin = System.nanoTime();
    int refused = 0;
    for (int i = 0; i < FILES_PER_SEED; i++) {
      byte[] file = mutate(originals.get(i % originals.size()), random);
      long before = AllocatedBytes.ofThisThread();
      refused += readAll(file, seed, i) ? 0 : 1;
      long allocated = AllocatedBytes.ofThisThread() - before;
      assertThat(allocated).as("seed %d, file %d", seed, i).isLessThan(MAX_ALLOCATED_PER_FILE);
    }
    assertThat(refused).as("some files are refused, some are read").isBetween(FILES_PER_SEED / 20, FILES_PER_SEED);
    assertThat(System.nanoTime() - begin).isLessThan(120_000_000_000L);
  }

  /** Answers false when the file was refused; any other exception fails the test. */
  private static boolean readAll(byte[] file, long seed, int number) {
    int packets = 0;
    try (CaptureReader reader = CaptureBytes.reader(file)) {
      while (reader.next()) {
        packets++;
        assertThat(reader.timestampNs()).isNotNegative();
        assertThat(reader.wireLength()).isGreaterThanOrEqualTo(reader.capturedLength());
        assertThat(reader.capturedLength()).isBetween(0, CaptureWriter.MAX_PACKET_LENGTH);
        assertThat(reader.interfaceId()).isLessThan(reader.interfaces().size());
      }
      assertThat(packets).isLessThanOrEqualTo(file.length / 16);
      return true;
    } catch (CaptureException e) {
      assertThat(e.offset()).isBetween(0L, (long) file.length);
      assertThat(e).hasMessageStartingWith("memory: offset " + e.offset() + ": ");
      return false;
    } catch (RuntimeException e) {
      throw new AssertionError("seed " + seed + ", file " + number, e);
    }
  }

  private static byte[] mutate(byte[] original, Random random) {
    int length = random.nextInt(4) == 0 ? random.nextInt(original.length) : original.length;
    byte[] file = Arrays.copyOf(original, length);
    int changes = 1 + random.nextInt(4);
    for (int i = 0; i < changes && file.length >= 4; i++) {
      int at = random.nextInt(file.length - 3);
      int aligned = at & ~3;
      switch (random.nextInt(3)) {
        case 0 -> file[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> putInt(file, aligned, TELLING[random.nextInt(TELLING.length)]);
        default -> putInt(file, aligned, Integer.reverseBytes(TELLING[random.nextInt(TELLING.length)]));
      }
    }
    return file;
  }

  private static void putInt(byte[] file, int at, int value) {
    java.nio.ByteBuffer.wrap(file).putInt(at, value);
  }

  private static List<byte[]> originals() throws CaptureException {
    List<byte[]> files = new ArrayList<>();
    for (CaptureFormat format : CaptureFormat.values()) {
      List<Packet> packets = CaptureBytes.samples(format).subList(0, 6);
      files.add(CaptureBytes.write(format, ByteOrder.LITTLE_ENDIAN, packets));
      files.add(CaptureBytes.write(format, ByteOrder.BIG_ENDIAN, packets));
    }
    CaptureBytes blocks = new CaptureBytes(ByteOrder.LITTLE_ENDIAN).section().device(1, 60, new byte[0]);
    blocks.simple(new byte[60], 99).obsolete(0, 77, new byte[33], 33).block(0xBAD, new byte[40]);
    files.add(blocks.enhanced(0, 78, new byte[64], 64).toArray());
    return files;
  }
}
