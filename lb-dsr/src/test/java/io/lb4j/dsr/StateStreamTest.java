package io.lb4j.dsr;

import static io.lb4j.dsr.SavedStates.PERSISTENCE;
import static io.lb4j.dsr.SavedStates.described;
import static io.lb4j.dsr.SavedStates.flows;
import static io.lb4j.dsr.SavedStates.other;
import static io.lb4j.dsr.SavedStates.restore;
import static io.lb4j.dsr.SavedStates.save;
import static io.lb4j.dsr.SavedStates.synOf;
import static io.lb4j.dsr.SavedStates.threeFlows;
import static io.lb4j.dsr.SavedStates.web;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.flow.TakeOver;
import io.lb4j.frame.Verdict;
import io.lb4j.state.RestoreReport;
import io.lb4j.state.StateStreamException;
import io.lb4j.wire.TcpHeader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The stream that state is saved as: what damages it, and what a later writer may add. */
@Tag("memory")
class StateStreamTest {
  private static StateStreamException refused(Lan lan, byte[] stream) {
    try {
      lan.balancer.restoreState(new ByteArrayInputStream(stream));
      throw new AssertionError("a stream of " + stream.length + " bytes was taken for whole");
    } catch (StateStreamException e) {
      return e;
    }
  }

  @Test
  void shouldNoticeWhereverAStreamIsCutOff() {
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web.persistence(PERSISTENCE))) {
      byte[] saved = save(first);
      long most = 0;
      for (int length = 0; length < saved.length; length++) {
        StateStreamException e = refused(second, Arrays.copyOf(saved, length));
        assertThat(e.report().flowsSkipped()).isIn(Map.of(), Map.of(TakeOver.ALREADY_THERE, 3L));
        most = Math.max(most, e.report().flowsRestored());
      }
      assertThat(most).as("what was whole is taken over").isEqualTo(3);
      assertThat(flows(second)).hasSize(3);
      assertThat(refused(second, Arrays.copyOf(saved, saved.length - 1)))
          .hasMessageContaining("cut off")
          .hasMessageContaining("0 flows and 0 clients were taken over");
    }
  }

  @Test
  void shouldNoticeEveryDamagedByte() {
    try (Lan first = threeFlows(true)) {
      byte[] saved = save(first);
      try (Lan second = other(true, web -> web.persistence(PERSISTENCE))) {
        for (int at = 0; at < saved.length; at++) {
          byte[] damaged = saved.clone();
          damaged[at] ^= (byte) (1 << at % 8);
          assertThat(refused(second, damaged).getMessage()).as("byte %s", at).isNotBlank();
        }
        assertThat(second.balancer.statistics().flowTable().size()).isLessThanOrEqualTo(3);
        assertThat(second.process(second.frame(50).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.FORWARD);
      }
    }
  }

  @Test
  void shouldSayWhatIsWrong() {
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web)) {
      byte[] saved = save(first);
      assertThat(refused(second, new byte[0])).hasMessageContaining("no saved state");
      assertThat(refused(second, "web: {vip: 192.0.2.100}".getBytes(StandardCharsets.UTF_8)))
          .hasMessageContaining("no saved state");
      byte[] later = saved.clone();
      later[9] = 2;
      assertThat(refused(second, later)).hasMessageContaining("version 2").hasMessageContaining("version 1 is known");
      byte[] flagged = saved.clone();
      flagged[11] = 1;
      assertThat(refused(second, flagged)).hasMessageContaining("flags 1");
      byte[] huge = saved.clone();
      huge[14] = 0x7F; // of the first block's length
      assertThat(refused(second, huge)).hasMessageContaining("block 1").hasMessageContaining("cannot have");
      byte[] damaged = saved.clone();
      damaged[18] ^= 1;
      assertThat(refused(second, damaged)).hasMessageContaining("block 1").hasMessageContaining("checksum");
    }
  }

  private static byte[] block(int type, byte... content) {
    ByteBuffer block = ByteBuffer.allocate(10 + content.length);
    block.putShort((short) type).putInt(content.length).put(content);
    CRC32C checksum = new CRC32C();
    checksum.update(block.array(), 0, 6 + content.length);
    return block.putInt((int) checksum.getValue()).array();
  }

  /** Puts a block behind the first one, which holds two bytes. */
  private static byte[] with(byte[] saved, byte[] block) {
    int at = 12 + 12;
    ByteBuffer stream = ByteBuffer.allocate(saved.length + block.length);
    return stream.put(saved, 0, at).put(block).put(saved, at, saved.length - at).array();
  }

  @Test
  void shouldSkipBlocksOfALaterWriterAndReadNothingBeyondTheEnd() throws IOException {
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web)) {
      byte[] saved = with(save(first), block(900, (byte) 1, (byte) 2, (byte) 3));
      ByteArrayInputStream stream = new ByteArrayInputStream(Arrays.copyOf(saved, saved.length + 5));
      assertThat(second.balancer.restoreState(stream).flowsRestored()).isEqualTo(3);
      assertThat(stream.available()).isEqualTo(5);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7})
  void shouldRefuseContentThatNoWriterWrites(int type) {
    SplittableRandom random = new SplittableRandom(type);
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web.persistence(PERSISTENCE))) {
      byte[] saved = save(first);
      for (int i = 0; i < 300; i++) {
        byte[] content = new byte[1 + random.nextInt(100)];
        random.nextBytes(content);
        assertThat(refused(second, with(saved, block(type, content)))).isNotNull();
      }
      assertThat(second.process(second.frame(50).tcp(4000, 80, TcpHeader.SYN))).isEqualTo(Verdict.FORWARD);
    }
  }

  @Test
  void shouldNoticeThatABlockIsMissing() {
    try (Lan first = threeFlows(false);
        Lan second = other(false, web -> web)) {
      byte[] saved = save(first);
      List<byte[]> blocks = new ArrayList<>();
      for (int at = 12; at < saved.length; ) {
        int length = 10 + ByteBuffer.wrap(saved).getInt(at + 2);
        blocks.add(Arrays.copyOfRange(saved, at, at + length));
        at += length;
      }
      ByteBuffer without = ByteBuffer.allocate(saved.length).put(saved, 0, 12);
      blocks.stream().filter(block -> block[1] != 3).forEach(without::put);
      assertThat(refused(second, Arrays.copyOf(without.array(), without.position())))
          .hasMessageContaining("3 flows")
          .hasMessageContaining("missing");
    }
  }

  /** More than a block holds, and more than is in hand at a time. */
  @Test
  void shouldCarryMoreThanABlockHolds() {
    try (Lan first = new Lan(false, b -> b.flowTable(20_000).service(web(false).persistence(PERSISTENCE)));
        Lan second = new Lan(false, b -> b.flowTable(20_000).service(web(false).persistence(PERSISTENCE)).seed(5))) {
      for (int client = 1; client <= 4_600; client++) {
        first.process(synOf(first, client, 80));
      }
      byte[] saved = save(first);
      assertThat(saved.length).isGreaterThan(4 * (1 << 16));
      RestoreReport report = restore(second, saved);
      assertThat(report.flows()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, 4_600L));
      assertThat(report.clients()).isEqualTo(Map.of(TakeOver.TAKEN_OVER, 4_600L));
      assertThat(described(second)).containsExactlyInAnyOrderElementsOf(described(first));
    }
  }

  @Test
  void shouldPassOnTheFailureOfTheStreamItWritesTo() {
    try (Lan first = threeFlows(false)) {
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(
              () ->
                  first.balancer.saveState(
                      new OutputStream() {
                        @Override
                        public void write(int b) throws IOException {
                          throw new IOException("disk full");
                        }
                      }))
          .withMessage("disk full");
    }
  }

  /** As a time-out of a socket has none. */
  @Test
  void shouldNameTheFailureOfAStreamThatHasNoWords() {
    try (Lan first = threeFlows(false)) {
      assertThatExceptionOfType(StateStreamException.class)
          .isThrownBy(
              () ->
                  first.balancer.restoreState(
                      new InputStream() {
                        @Override
                        public int read() throws IOException {
                          throw new SocketTimeoutException();
                        }
                      }))
          .withMessage("java.net.SocketTimeoutException; 0 flows and 0 clients were taken over");
    }
  }
}
