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
    assertThat(Schedulers.names()).containsExactly(
            "rr", "wrr", "lc", "wlc", "sed", "nq", "p2c", "fastest", "sh", "maglev", "hrw");
    for (String name : Schedulers.names()) {
      assertThat(Schedulers.named(name).orElseThrow().name()).isEqualTo(name);
    }
    assertThat(Schedulers.names()).doesNotHaveDuplicates();
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
    assertThat(Schedulers.rendezvous(inputs, 16384)).isEqualTo(Schedulers.rendezvous(inputs, 16384));
    assertThat(Schedulers.rendezvous(inputs, 16384)).isNotEqualTo(Schedulers.rendezvous(inputs));
    assertThat(Schedulers.neverQueue()).isEqualTo(Schedulers.neverQueue());
    assertThat(Schedulers.neverQueue()).isNotEqualTo(Schedulers.shortestExpectedDelay());
  }

  @Test
  void shouldHashOnlyWhereTheDisciplineHashes() {
    assertThat(Schedulers.weightedRoundRobin().hashInputs().isEmpty()).isTrue();
    assertThat(Schedulers.sourceHash().hashInputs()).isEqualTo(HashInputs.SOURCE);
    assertThat(Schedulers.maglev().hashInputs()).isEqualTo(HashInputs.FIVE_TUPLE);
    assertThat(Schedulers.rendezvous().hashInputs()).isEqualTo(HashInputs.FIVE_TUPLE);
    assertThat(Schedulers.powerOfTwoChoices().hashInputs().isEmpty()).isTrue();
  }

  @Test
  void shouldRefuseAHashWithoutInputs() {
    assertThatThrownBy(() -> Schedulers.sourceHash(HashInputs.NONE)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> Schedulers.maglev(HashInputs.NONE)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> Schedulers.maglev(HashInputs.SOURCE, 65536)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> Schedulers.rendezvous(HashInputs.NONE)).isInstanceOf(ConfigurationException.class);
  }

  @Test
  void shouldTellWhetherWeightsCount() {
    List<String> blind =
        Schedulers.names().stream().filter(name -> !Schedulers.named(name).orElseThrow().usesWeights()).toList();
    assertThat(blind).containsExactly("rr", "lc");
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
