package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.settings.ConfigurationException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchedulersTest {
  @Test
  void shouldFindEachDisciplineByItsName() {
    assertThat(Schedulers.names()).containsExactly("rr", "wrr", "lc", "wlc", "sh", "maglev");
    for (String name : Schedulers.names()) {
      assertThat(Schedulers.named(name).orElseThrow().name()).isEqualTo(name);
    }
    assertThat(Schedulers.named("RR")).isEmpty();
    assertThat(Schedulers.named("")).isEmpty();
  }

  @Test
  void shouldBeEqualWhenMadeWithEqualArguments() {
    assertThat(Schedulers.roundRobin()).isEqualTo(Schedulers.roundRobin()).isNotEqualTo(Schedulers.leastConnections());
    HashInputs inputs = HashInputs.of(HashInput.SOURCE_ADDRESS);
    assertThat(Schedulers.sourceHash(inputs)).isEqualTo(Schedulers.sourceHash());
    assertThat(Schedulers.sourceHash(inputs)).hasSameHashCodeAs(Schedulers.sourceHash());
    assertThat(Schedulers.maglev(inputs)).isNotEqualTo(Schedulers.maglev());
    assertThat(Schedulers.maglev(inputs, 65537)).isEqualTo(Schedulers.maglev(inputs, 65537));
  }

  @Test
  void shouldHashOnlyWhereTheDisciplineHashes() {
    assertThat(Schedulers.weightedRoundRobin().hashInputs().isEmpty()).isTrue();
    assertThat(Schedulers.sourceHash().hashInputs()).isEqualTo(HashInputs.SOURCE);
    assertThat(Schedulers.maglev().hashInputs()).isEqualTo(HashInputs.FIVE_TUPLE);
  }

  @Test
  void shouldRefuseAHashWithoutInputs() {
    assertThatThrownBy(() -> Schedulers.sourceHash(HashInputs.NONE)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> Schedulers.maglev(HashInputs.NONE)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> Schedulers.maglev(HashInputs.SOURCE, 65536)).isInstanceOf(ConfigurationException.class);
  }

  @ParameterizedTest
  @CsvSource({"rs1, 0", "rs1, -1", "rs1, 65536", "' ', 1"})
  void shouldRefuseACandidateOutsideItsLimits(String identity, int weight) {
    assertThatThrownBy(() -> new Candidate(identity, weight)).isInstanceOf(ConfigurationException.class);
  }

  @Test
  void shouldRefuseAnEmptyListOfCandidates() {
    for (String name : Schedulers.names()) {
      Scheduler scheduler = Schedulers.named(name).orElseThrow();
      assertThatThrownBy(() -> scheduler.prepare(List.of(), 0)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
