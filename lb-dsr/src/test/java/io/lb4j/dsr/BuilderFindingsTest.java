package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.flow.FlowTable;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.settings.Finding;
import io.lb4j.settings.Severity;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What building refuses is found without building. */
@Tag("one-jdk")
class BuilderFindingsTest {
  private static LoadBalancerBuilder builder(int capacity) {
    return LoadBalancer.builder()
        .networkInterface("eth0", i -> i.mac(Lan.LB_MAC).address("192.0.2.5/24"))
        .service(Lan.withServers(Lan.tcp(false), false, 1))
        .flowTable(capacity);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 8, FlowTable.MIN_CAPACITY - 1, FlowTable.MAX_CAPACITY + 1})
  void shouldFindACapacityThatNoFlowTableHas(int capacity) {
    assertThat(builder(capacity).findings())
        .filteredOn(finding -> finding.severity() == Severity.ERROR)
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.rule()).isEqualTo(ConfigurationError.OUT_OF_RANGE);
              assertThat(finding.setting()).isEqualTo("flow-table: capacity");
            });
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> builder(capacity).build())
        .satisfies(e -> assertThat(e.error()).isEqualTo(ConfigurationError.OUT_OF_RANGE));
  }

  @Test
  void shouldFindNothingInTheSmallestFlowTable() {
    assertThat(builder(FlowTable.MIN_CAPACITY).findings()).extracting(Finding::severity).doesNotContain(Severity.ERROR);
    builder(FlowTable.MIN_CAPACITY).build().close();
  }
}
