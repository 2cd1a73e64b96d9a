package io.lb4j.pcap.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.port.PortException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which answer is whose; a shell stands in for nft, and says again what it is told. */
class NftSessionTest {
  private static final String ECHO =
      "while read line; do case \"$line\" in describe*) echo 'meta expression';; end) exit;; *) echo \"$line\";; esac; done";

  private static NftSession session() throws IOException {
    return new NftSession(new ProcessBuilder("sh", "-c", ECHO).redirectErrorStream(true).start());
  }

  @Test
  void shouldNotTakeTheLateAnswerOfOneRunForThatOfAnother() throws Exception {
    try (NftSession session = session()) {
      assertThat(session.run(List.of("a", "b"))).containsExactly("a; b");
      for (String late : List.of("late", "later")) {
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(PortException.class).isThrownBy(() -> session.run(List.of(late)));
        assertThat(Thread.interrupted()).isTrue();
      }
      assertThat(session.run(List.of("c"))).containsExactly("c");
      assertThat(session.run(List.of("d"))).containsExactly("d");
    }
  }

  @Test
  void shouldSayThatTheProcessHasEndedAndNotThatItIsTooOld() throws Exception {
    try (NftSession session = session()) {
      for (int i = 0; i < 2; i++) {
        assertThatExceptionOfType(PortException.class)
            .isThrownBy(() -> session.run(List.of("end")))
            .withMessage("the process nft has ended");
      }
    }
  }
}
