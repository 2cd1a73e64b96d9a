package io.lb4j.examples.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.Finding;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationRule;
import io.lb4j.settings.ConfigurationWarning;
import io.lb4j.settings.Severity;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each code is found in a bad configuration, and not in the nearest good one, IPv4 and IPv6. */
class LintTest {
  /** What no file can be guilty of; {@code FindingsTest} and {@code GatewayAddressTest} of lb-gateway have these. */
  private static final Set<ConfigurationRule> BY_PROGRAMS_ONLY =
      Set.of(
          ConfigurationError.NO_FORWARDER,
          ConfigurationError.TRANSLATORS_DIFFER,
          ConfigurationError.VIP_HELD_BY_KERNEL,
          ConfigurationWarning.MTU_ABOVE_DEVICE);

  static Stream<Arguments> rows() {
    return LintRows.all().stream()
        .flatMap(row -> Stream.of(false, true)
            .filter(row::concerns)
            .map(v6 -> Arguments.argumentSet(row.code + (v6 ? ", IPv6" : ", IPv4"), row, v6)));
  }

  private static List<Finding> findings(String text) {
    try {
      return new Linter(Configuration.parse("lb.yaml", text)).findings();
    } catch (ConfigurationFileException e) {
      return e.findings();
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void shouldTellBadFromGood(LintRows.Row row, boolean v6) {
    assertThat(findings(row.bad(v6)))
        .anySatisfy(finding -> {
          assertThat(finding.code()).isEqualTo(row.code);
          assertThat(finding.severity()).isEqualTo(rule(row.code).severity());
          assertThat(finding.line()).isPositive();
          assertThat(finding.reason()).isNotEmpty().doesNotEndWith(".");
          if (rule(row.code) != ConfigurationError.UNKNOWN_KEY) {
            assertThat(finding.remedy()).isEqualTo(rule(row.code).remedy());
          }
        });
    assertThat(findings(row.good(v6)))
        .noneMatch(finding -> finding.code().equals(row.code))
        .noneMatch(finding -> finding.severity() == Severity.ERROR);
  }

  private static ConfigurationRule rule(String code) {
    return ConfigurationRule.all().stream().filter(rule -> rule.code().equals(code)).findFirst().orElseThrow();
  }

  @Test
  void shouldHaveARowForEveryCode() {
    Set<String> codes = new TreeSet<>();
    ConfigurationRule.all().stream()
        .filter(rule -> !BY_PROGRAMS_ONLY.contains(rule))
        .forEach(rule -> codes.add(rule.code()));
    Set<String> rows = new TreeSet<>();
    LintRows.all().forEach(row -> rows.add(row.code));
    assertThat(rows).isEqualTo(codes);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldSayNothingOfGoodConfigurations(boolean v6) {
    for (String base : List.of(LintRows.GATEWAY, LintRows.SINGLE_ARM, LintRows.DSR, LintRows.DSR_BEHIND)) {
      assertThat(findings(LintRows.text(base, v6))).isEmpty();
    }
  }

  @Test
  void shouldHaveDistinctCodes() {
    assertThat(ConfigurationRule.all()).extracting(ConfigurationRule::code).doesNotHaveDuplicates();
    assertThat(ConfigurationRule.all()).hasSizeGreaterThan(60);
  }
}
