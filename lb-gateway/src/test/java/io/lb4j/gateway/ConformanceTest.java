package io.lb4j.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ConformanceTest {
  @ParameterizedTest
  @EnumSource
  void shouldHaveATestForEveryRuleOrAReasonForAShouldThatIsNotMet(NatRule rule) {
    List<String> tests =
        ConformanceTests.all().stream()
            .filter(test -> ConformanceTests.rules(test).contains(rule.name()))
            .map(ConformanceTests::name)
            .toList();
    if (rule.level == NatRule.Level.MUST) {
      assertThat(rule.notMet()).as("a MUST has no excuse").isEmpty();
    }
    boolean excused = rule.notMet().isPresent();
    assertThat(tests.isEmpty()).as("%s has a test, or a reason, and not both", rule).isEqualTo(excused);
  }

  @Test
  void shouldNameOnlyRulesThatExist() {
    List<String> rules = Stream.of(NatRule.values()).map(NatRule::name).toList();
    assertThat(ConformanceTests.all()).allSatisfy(test -> assertThat(rules).containsAll(ConformanceTests.rules(test)));
  }
}
