package io.lb4j.examples.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.examples.CommandRun;
import io.lb4j.frame.Verdict;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.settings.ConfigurationRule;
import io.lb4j.verify.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the step-by-step pages tell a newcomer to write and to type is right, and what they name exists. */
class HowToPageTest {
  private static final Path DOCS = Path.of("..", "docs");
  private static final Pattern YAML = Pattern.compile("^```yaml\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern COMMAND = Pattern.compile("\\blb (check|setup|verify|run|ctl)\\b([^\n`>#]*)");
  private static final Pattern LINK = Pattern.compile("\\]\\(([a-z0-9./-]+\\.md)(#([a-z0-9-]+))?\\)");

  @TempDir private Path directory;

  private static String page(String name) throws IOException {
    return Files.readString(DOCS.resolve(name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"howto-dsr.md", "howto-gateway-dual-arm.md", "howto-gateway-single-arm.md"})
  void shouldShowAConfigurationThatNothingIsFoundIn(String name) throws IOException {
    List<MatchResult> files = YAML.matcher(page(name)).results().toList();
    assertThat(files).hasSize(1);
    Path file = Files.writeString(directory.resolve("lb.yaml"), files.get(0).group(1));
    CommandRun run = CommandRun.lb("check", "--strict", file);
    assertThat(run.out()).endsWith("lb.yaml: no findings\n");
    assertThat(run.exit()).isZero();
    assertThat(page(name)).contains("$ lb check lb.yaml\nlb.yaml: no findings\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"howto-dsr.md", "howto-gateway-dual-arm.md", "howto-gateway-single-arm.md"})
  void shouldNameCodesThatThereAre(String name) throws IOException {
    String page = page(name);
    String symptoms = page.substring(page.indexOf("## What each symptom means"));
    Set<String> known = new HashSet<>(Set.of("full-nat", "reset-on-idle", "proxy-protocol"));
    Stream.of(ProbeReason.values()).forEach(reason -> known.add(reason.code()));
    ConfigurationRule.all().forEach(rule -> known.add(rule.code()));
    Stream.of(Fault.values()).forEach(fault -> known.add(code(fault)));
    List<String> named =
        Pattern.compile("`([a-z]+(?:-[a-z0-9]+)+)`").matcher(symptoms).results().map(m -> m.group(1)).toList();
    assertThat(named).isNotEmpty().isSubsetOf(known);
    List<String> verdicts =
        Pattern.compile("`([A-Z]+(?:_[A-Z]+)+)`").matcher(symptoms).results().map(m -> m.group(1)).toList();
    assertThat(verdicts).isNotEmpty().isSubsetOf(Stream.of(Verdict.values()).map(Enum::name).toList());
    List<String> reasons =
        Pattern.compile("down, why `([a-z-]+)`").matcher(symptoms).results().map(m -> m.group(1)).toList();
    assertThat(reasons).isNotEmpty().isSubsetOf(Stream.of(ProbeReason.values()).map(ProbeReason::code).toList());
    assertThat(symptoms.lines().filter(line -> line.startsWith("| ")).toList()).hasSizeGreaterThan(10);
  }

  private static String code(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @ParameterizedTest
  @ValueSource(strings = {"howto-dsr.md", "howto-gateway-dual-arm.md", "howto-gateway-single-arm.md"})
  void shouldLeadANewcomerFromCheckToRun(String name) throws IOException {
    List<String> commands = COMMAND.matcher(page(name)).results().map(m -> m.group(1)).distinct().toList();
    assertThat(commands).contains("check", "setup", "verify", "run");
    assertThat(page(name)).contains("lb setup lb.yaml --server ").contains("--undo").contains("--flavour");
  }

  @ParameterizedTest
  @ValueSource(strings = {"howto-dsr.md", "howto-gateway-dual-arm.md", "howto-gateway-single-arm.md", "lint.md"})
  void shouldLinkToPlacesThatThereAre(String name) throws IOException {
    for (MatchResult link : LINK.matcher(page(name)).results().toList()) {
      Path target = DOCS.resolve(link.group(1));
      assertThat(target).exists();
      if (link.group(3) != null) {
        List<String> anchors =
            Files.readString(target).lines()
                .filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT))
                .map(title -> title.replaceAll("[^a-z0-9 -]", "").replace(' ', '-'))
                .toList();
        assertThat(anchors).contains(link.group(3));
      }
    }
  }
}
