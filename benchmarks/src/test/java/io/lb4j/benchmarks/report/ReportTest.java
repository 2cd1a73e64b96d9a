package io.lb4j.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class ReportTest {
  private static final String BATCHES = "DsrPipelineBenchmark.batches";
  private static final String HASH_MAP = "DsrPipelineBenchmark.baselineHashMap";
  private static final String MILLION = "1048576";

  @ParameterizedTest(name = "{0} of 4, 1, 3, 2 is {1}")
  @CsvSource({"0, 1", "0.25, 1.75", "0.5, 2.5", "0.75, 3.25", "1, 4"})
  void shouldFindQuantilesBetweenValues(double share, double expected) {
    assertThat(new Spread(List.of(4.0, 1.0, 3.0, 2.0)).quantile(share)).isEqualTo(expected);
  }

  @Test
  void shouldAnswerNothingOfNoValues() {
    assertThat(new Spread(List.of()).median()).isNaN();
  }

  @Test
  void shouldReadIterationsParametersAndBytes() throws IOException {
    String file = Recorded.file(Recorded.result(BATCHES, "avgt", Recorded.dsr(MILLION, "4"), 50.5, 49.0, 52.0));

    Run run = JmhFile.read(3, file).get(0);

    assertThat(run.round()).isEqualTo(3);
    assertThat(run.group()).isEqualTo("DsrPipelineBenchmark");
    assertThat(run.name()).isEqualTo("batches");
    assertThat(run.params()).containsEntry("flows", MILLION).containsEntry("family", "4");
    assertThat(run.throughput()).isFalse();
    assertThat(run.values()).containsExactly(50.5, 49.0, 52.0);
    assertThat(run.allocated()).containsExactly(0.01);
  }

  @Test
  void shouldReadNothingOfARunThatWasEnded() throws IOException {
    assertThat(JmhFile.read(1, "")).isEmpty();
  }

  @Test
  void shouldFormRatiosWithinARoundOnly() throws IOException {
    String fast = round(40, 120); // a quiet minute: 3.0
    String slow = round(100, 250); // a busy one: 2.5
    Results results = Recorded.rounds(List.of(fast, slow));
    Series batches = results.find("DsrPipelineBenchmark", "batches", Map.of()).orElseThrow();

    Spread ratio = batches.timesAsGoodAs(results.bestBaseline(batches).orElseThrow());

    assertThat(ratio.least()).isEqualTo(2.5);
    assertThat(ratio.most()).isEqualTo(3.0);
  }

  private static String round(double batches, double hashMap) {
    return Recorded.file(
        Recorded.result(BATCHES, "avgt", Recorded.dsr(MILLION, "4"), batches),
        Recorded.result(HASH_MAP, "avgt", Recorded.dsr(MILLION, "4"), hashMap));
  }

  @Test
  void shouldCompareWithTheBestBaselineOfTheSameParameters() throws IOException {
    Results results =
        Recorded.of(
            Recorded.result(BATCHES, "avgt", Recorded.dsr(MILLION, "4"), 50),
            Recorded.result(HASH_MAP, "avgt", Recorded.dsr(MILLION, "4"), 200),
            Recorded.result("DsrPipelineBenchmark.baselineAgrona", "avgt", Recorded.dsr(MILLION, "4"), 150),
            Recorded.result(HASH_MAP, "avgt", Recorded.dsr("65536", "4"), 20));

    assertThat(new Tables(results).of("DsrPipelineBenchmark"))
        .contains("| IPv4, 1,048,576 flows | `batches` | 50 (50–50) | 50 | 0 | 3.0 (3.0–3.0), Agrona |");
  }

  @Test
  void shouldTakeMoreAsBetterWhereFramesAreCounted() throws IOException {
    Results results =
        Recorded.of(
            Recorded.result("HandOverBenchmark.spsc", "thrpt", Map.of(), Map.of("taken", new double[] {90}), 500),
            Recorded.result(
                "HandOverBenchmark.baselineBlockingQueue", "thrpt", Map.of(), Map.of("taken", new double[] {9}), 800));

    assertThat(new Tables(results).of("HandOverBenchmark")).contains("| `spsc` | 90 (90–90) |").contains("| 10.0 (");
  }

  @ParameterizedTest(name = "{0} ns for a million flows")
  @CsvSource({"52, **52** (51) ≤ 52", "53, **53** (51) > 52"})
  void shouldSayWhetherAGoalIsMet(double median, String expected) throws IOException {
    Results results = Recorded.of(Recorded.result(BATCHES, "avgt", Recorded.dsr(MILLION, "4"), 51, median, 99));

    assertThat(new GoalTable(results).nanoseconds()).contains(expected).contains("not measured, goal 40");
  }

  @Test
  void shouldCompareFamiliesAndTellTheRatioOfMixedTraffic() throws IOException {
    Results results =
        Recorded.of(
            Recorded.result(BATCHES, "avgt", Recorded.dsr(MILLION, "4"), 50),
            Recorded.result(BATCHES, "avgt", Recorded.dsr(MILLION, "6"), 60),
            Recorded.result(
                "MixedTrafficBenchmark.mixed",
                "avgt",
                Map.of("flows", "65536"),
                Map.of("ratio", new double[] {1.1, 1.2, 1.3}),
                70));

    assertThat(new GoalTable(results).ratios())
        .contains("| DSR, IPv6 ÷ IPv4, 1,048,576 flows | 1.20 (1.20–1.20) | ≤ 1.3 |")
        .contains("| mixed ÷ alone, 65,536 flows | 1.20 (1.10–1.30) | ≤ 1.3 |");
  }

  static Stream<Arguments> charts() throws IOException {
    Results results =
        Recorded.of(
            Recorded.result(BATCHES, "avgt", Recorded.dsr("65536", "4"), 40),
            Recorded.result(BATCHES, "avgt", Recorded.dsr(MILLION, "4"), 50),
            Recorded.result(HASH_MAP, "avgt", Recorded.dsr(MILLION, "4"), 200),
            Recorded.result(
                "ScalingBenchmark.frames", "thrpt", Map.of("way", "one", "waiting", "park", "flows", "65536", "family", "4"), 12));
    return new Charts(results).files().entrySet().stream().map(each -> Arguments.of(each.getKey(), each.getValue()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("charts")
  void shouldDrawWellFormedPicturesWithoutForeignParts(String file, String svg) throws Exception {
    Document document =
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));

    assertThat(document.getDocumentElement().getTagName()).isEqualTo("svg");
    assertThat(document.getElementsByTagName("title").getLength()).isEqualTo(1);
    assertThat(document.getElementsByTagName("script").getLength()).isZero();
    assertThat(svg).doesNotContain("href").doesNotContain("@import").doesNotContain("NaN");
  }

  @Test
  void shouldLeaveOutPicturesOfWhatWasNotMeasured() throws IOException {
    assertThat(charts().map(each -> (String) each.get()[0]))
        .isSubsetOf(Charts.NAMES.keySet())
        .contains("cost-by-flows.svg", "dsr-against-baselines.svg", "frames-by-workers.svg")
        .doesNotContain("scheduler-by-servers.svg", "gateway-against-baselines.svg");
  }

  @Test
  void shouldReplaceWhatStandsBetweenMarkersAndNothingElse() {
    String page = "before\n<!-- figures: goals -->\nold $1\n<!-- end of figures -->\nafter\n";

    String filled = Markers.fill(page, Map.of("goals", "| new $1 |\n"));

    assertThat(filled)
        .isEqualTo("before\n<!-- figures: goals -->\n\n| new $1 |\n\n<!-- end of figures -->\nafter\n");
    assertThat(Markers.fill(filled, Map.of("goals", "| new $1 |\n"))).isEqualTo(filled);
    assertThatThrownBy(() -> Markers.fill(page, Map.of())).hasMessageContaining("goals");
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"RESULTS.md", "../README.md"})
  void shouldHaveASectionForEveryMarkerOfThePages(String file) throws IOException {
    Map<String, String> sections = new TreeMap<>(Report.sections(new Results(List.of()), new Properties()));
    sections.putAll(Report.pictures(List.of(), "images"));

    String page = Files.readString(Path.of(file));

    assertThat(Markers.fill(page, sections)).contains("<!-- figures: chart");
  }

  @Test
  void shouldWriteChartsAndFillPages(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("1-01.json"), round(50, 200));
    Files.writeString(directory.resolve("1-01.json.log"), "not a result");
    Files.writeString(directory.resolve("machine.properties"), "machine=two cores\n");
    Path page = directory.resolve("page.md");
    Files.writeString(
        page,
        "<!-- figures: machine -->\n<!-- end of figures -->\n"
            + "<!-- figures: chart-cost-by-flows -->\n<!-- end of figures -->\n"
            + "<!-- figures: chart-hop -->\n<!-- end of figures -->\n");

    Report.main(directory.toString(), "--images", directory.resolve("images").toString(), page.toString());

    assertThat(page)
        .content()
        .contains("| Machine | two cores |")
        .contains("(images/cost-by-flows.svg)")
        .doesNotContain("hop.svg");
    assertThat(directory.resolve("images/cost-by-flows.svg")).exists();
  }
}
