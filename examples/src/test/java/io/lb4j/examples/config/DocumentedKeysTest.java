package io.lb4j.examples.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.schedule.Schedulers;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The page that documents the file knows every key that is read. */
class DocumentedKeysTest {
  /** Where the keys of a field are documented. */
  private static final Map<String, String> SECTIONS =
      Map.ofEntries(
          Map.entry("ConfigurationReader.TOP", "## Top level"),
          Map.entry("ConfigurationReader.INTERFACE", "## interfaces"),
          Map.entry("ConfigurationReader.ROUTE", "## routes and neighbors"),
          Map.entry("ConfigurationReader.FLOW_TABLE", "## flow-table"),
          Map.entry("ConfigurationReader.WAIT_STRATEGY", "## wait-strategy"),
          Map.entry("ConfigurationReader.ANNOUNCE", "## announce"),
          Map.entry("OutboundReader.RULE", "## outbound"),
          Map.entry("OutboundReader.TIMEOUTS", "## outbound"),
          Map.entry("ServiceReader.SERVICE", "## services"),
          Map.entry("ServiceReader.TIMEOUTS", "### timeouts"),
          Map.entry("MonitorReader.COMMON", "### Who watches the servers"),
          Map.entry("MonitorReader.NOBODY", "### Who watches the servers"),
          Map.entry("MonitorReader.PING", "### Who watches the servers"),
          Map.entry("MonitorReader.TCP", "### Who watches the servers"),
          Map.entry("MonitorReader.UDP", "### Who watches the servers"),
          Map.entry("MonitorReader.HTTP", "### Who watches the servers"),
          Map.entry("MonitorReader.MONITORS", "### Who watches the servers"),
          Map.entry("MonitorReader.OBSERVATION", "### Who watches the servers"),
          Map.entry("MonitorReader.WATERMARK", "### Who watches the servers"),
          Map.entry("SchedulingReader.PERSISTENCE", "### persistence"),
          Map.entry("PolicyReader.LIMIT", "### Who may come, and how many"),
          Map.entry("PolicyReader.FATES", "### What becomes of flows"),
          Map.entry("ServerReader.SERVER", "### servers"));

  private static String page() throws IOException {
    return Files.readString(Path.of("..", "docs", "configuration.md"));
  }

  /** All keys that classes of this package read, by the field that lists them. */
  private static Map<String, List<String>> keys() throws IOException, URISyntaxException {
    Map<String, List<String>> keys = new LinkedHashMap<>();
    Path directory = Path.of(Keys.class.getResource("Keys.class").toURI()).getParent();
    try (Stream<Path> files = Files.list(directory)) {
      files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".class"))
          .flatMap(name -> fields(name.replace(".class", "")))
          .forEach(field -> keys.put(field.getDeclaringClass().getSimpleName() + "." + field.getName(), names(field)));
    }
    return keys;
  }

  private static Stream<Field> fields(String name) {
    try {
      return Arrays.stream(Class.forName("io.lb4j.examples.config." + name).getDeclaredFields())
          .filter(field -> Modifier.isStatic(field.getModifiers()) && field.getType() == Keys.class);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> names(Field field) {
    try {
      field.setAccessible(true);
      return ((Keys) field.get(null)).known();
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** From a heading to the next one of its level or above. */
  private static String section(String page, String heading) {
    int begin = page.indexOf("\n" + heading + "\n");
    assertThat(begin).as("heading " + heading).isNotNegative();
    int level = heading.indexOf(' ');
    Matcher next = Pattern.compile("\n#{2," + level + "} ").matcher(page);
    return next.find(begin + 1) ? page.substring(begin, next.start()) : page.substring(begin);
  }

  /** A key is documented by a row of its own, or among the parts of another key's row. */
  private static boolean isDocumented(String section, String key) {
    return section.lines().anyMatch(line -> line.startsWith("| `") && line.split("\\|")[1].contains("`" + key + "`"))
        || section.lines().anyMatch(line -> line.startsWith("| `") && line.split("\\|")[2].contains("`" + key + "`"));
  }

  @Test
  void shouldHaveARowForEveryKeyInItsSection() throws Exception {
    String page = page();
    Map<String, List<String>> keys = keys();
    assertThat(keys).containsOnlyKeys(SECTIONS.keySet());
    keys.forEach(
        (field, names) -> {
          String section = section(page, SECTIONS.get(field));
          assertThat(names).as(field).isNotEmpty().allMatch(name -> isDocumented(section, name));
        });
  }

  @Test
  void shouldNameEveryScheduler() throws IOException {
    String row = page().lines().filter(line -> line.startsWith("| `scheduler` |")).findFirst().orElseThrow();
    assertThat(Schedulers.names()).allMatch(name -> row.contains("`" + name + "`"));
  }
}
