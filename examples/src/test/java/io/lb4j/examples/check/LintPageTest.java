package io.lb4j.examples.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.settings.ConfigurationRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The page about the linter is its table: every code, with severity and remedy. */
class LintPageTest {
  private static final Path PAGE = Path.of("..", "docs", "lint.md");
  private static final Pattern ROW =
      Pattern.compile(
          "^\\| `([a-z0-9-]+)` \\| (error|warning|information) \\| ([^|]+) \\| ([^|]+) \\|$", Pattern.MULTILINE);

  private static List<MatchResult> rows() throws IOException {
    return ROW.matcher(Files.readString(PAGE)).results().toList();
  }

  @Test
  void shouldHaveTheRulesInTheirOrder() throws IOException {
    List<String> table =
        ConfigurationRule.all().stream()
            .map(rule -> rule.code() + " " + rule.severity().name().toLowerCase(Locale.ROOT) + " " + rule.remedy())
            .toList();
    List<String> page = rows().stream().map(row -> row.group(1) + " " + row.group(2) + " " + row.group(4)).toList();
    assertThat(page).isEqualTo(table);
  }

  @Test
  void shouldCountThem() throws IOException {
    assertThat(Files.readString(PAGE)).contains(ConfigurationRule.all().size() + " findings");
  }

  @Test
  void shouldSayWhenForEach() throws IOException {
    assertThat(rows()).allSatisfy(row -> assertThat(row.group(3).strip()).hasSizeGreaterThan(10));
  }
}
