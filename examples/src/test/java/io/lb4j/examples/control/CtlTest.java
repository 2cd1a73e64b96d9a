package io.lb4j.examples.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.event.Event;
import io.lb4j.examples.CommandRun;
import io.lb4j.examples.Lb;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.report.Json;
import io.lb4j.service.Activity;
import io.lb4j.service.Role;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** {@code lb ctl} against a balancer that runs, over its socket. */
class CtlTest {
  private RunningFixture fixture;

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Object value) {
    return (Map<String, Object>) value;
  }

  @BeforeEach
  void open() throws Exception {
    fixture = new RunningFixture(Duration.ofSeconds(30));
  }

  @AfterEach
  void close() throws Exception {
    fixture.close();
  }

  private String done(Object... args) {
    CommandRun run = fixture.ctl(args);
    assertThat(run.err()).isEmpty();
    assertThat(run.exit()).isZero();
    return run.out();
  }

  private Map<String, Object> json(Object... args) throws Exception {
    Object[] all = new Object[args.length + 1];
    System.arraycopy(args, 0, all, 0, args.length);
    all[args.length] = "--json";
    return Json.object(done(all));
  }

  @Test
  void shouldTellStatusAndServers() throws Exception {
    fixture.connect("192.0.2.77");
    assertThat(done("status")).startsWith("test.yaml, active, for ").contains("FORWARD", "service web");
    assertThat(json("status"))
        .containsEntry("file", "test.yaml")
        .containsEntry("law", true)
        .containsEntry("role", "active")
        .containsKeys("since", "verdicts", "services", "flowTable");
    assertThat(done("servers").lines()).hasSize(4).anyMatch(line -> line.contains("web/rs1") && line.contains("online"));
    assertThat(done("servers", "web").lines()).hasSize(3);
    List<?> servers = (List<?>) json("servers", "web").get("servers");
    assertThat(object(servers.get(0)))
        .containsEntry("service", "web")
        .containsEntry("name", "rs1")
        .containsEntry("health", "unknown")
        .containsEntry("flows", 1L);
  }

  @ParameterizedTest
  @CsvSource({"drain, DRAIN", "offline, OFFLINE", "standby, STANDBY", "online, ONLINE"})
  void shouldChangeActivity(String command, Activity activity) {
    assertThat(done(command, "web/rs1")).isEqualTo("web/rs1: " + command + "\n");
    assertThat(fixture.balancer.service("web").declaration().server("rs1").orElseThrow().activity()).isEqualTo(activity);
    assertThat(fixture.balancer.service("web").declaration().server("rs2").orElseThrow().activity())
        .isEqualTo(Activity.ONLINE);
  }

  @Test
  void shouldFindServersWithSlashesInTheirNames() {
    assertThat(done("drain", "a/b/c/d")).isEqualTo("a/b/c/d: drain\n");
    assertThat(fixture.balancer.service("a/b").declaration().servers().get(0).activity()).isEqualTo(Activity.DRAIN);
  }

  @Test
  void shouldChangeWeight() throws Exception {
    assertThat(json("weight", "web/rs2", "9")).isEqualTo(Map.of("done", "web/rs2: weight 9"));
    assertThat(fixture.balancer.service("web").declaration().server("rs2").orElseThrow().weight()).isEqualTo(9);
    CommandRun run = fixture.ctl("weight", "web/rs2", "65536");
    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.err()).contains("0..65535");
    assertThat(fixture.balancer.service("web").declaration().server("rs2").orElseThrow().weight()).isEqualTo(9);
  }

  @Test
  void shouldPrintTheConfigurationThatRuns() throws Exception {
    assertThat(done("config")).isEqualTo(RunningFixture.TEXT);
    fixture.balancer.service("web").realServer("rs1").drain();
    assertThat(done("config")).isEqualTo(RunningFixture.TEXT.replace("192.0.2.21}", "192.0.2.21, activity: drain}"));
    assertThat(json("config").get("config")).isEqualTo(done("config"));
  }

  @Test
  void shouldPlanWithoutChangingAndApply() throws Exception {
    fixture.connect("192.0.2.77");
    String changed =
        RunningFixture.TEXT
            .replace("            - {name: rs1, address: 192.0.2.21}\n", "")
            .replace("scheduler: rr", "scheduler: wrr")
            .replace("    - {name: rs1, address: 192.0.2.21}\n", "")
            + "echo: drop\n";
    Path file = fixture.file(changed);
    String plan = done("plan", file);
    assertThat(plan).contains("scheduler", "rs1", "removed", "lost").endsWith("until a restart: echo\n");
    assertThat(done("config")).isEqualTo(RunningFixture.TEXT);
    Map<String, Object> planned = json("plan", file);
    assertThat(planned.get("restart")).isEqualTo(List.of("echo"));
    assertThat(object(planned.get("flows"))).containsEntry("lost", 1L);
    assertThat(done("apply", file)).isEqualTo(plan);
    assertThat(fixture.balancer.services()).isEqualTo(Configuration.load(file).services());
    assertThat(done("plan", file)).isEqualTo("no changes\nleft as they are until a restart: echo\n");
  }

  @Test
  void shouldTellWhatWouldBeDoubtfulWithItsLine() throws Exception {
    String changed = RunningFixture.TEXT.replaceAll("(192\\.0\\.2\\.2[0-9])(, weight: \\d+)?}", "$1, weight: 0}");
    Path file = fixture.file(changed);
    for (String command : List.of("plan", "apply")) {
      assertThat(done(command, file).lines())
          .filteredOn(line -> line.contains("[all-weights-zero]"))
          .hasSize(1)
          .allSatisfy(line -> assertThat(line).matches(".*:\\d+: warning: service .*: servers: .*"));
      assertThat(json(command, file).get("findings").toString()).contains("all-weights-zero");
    }
  }

  @Test
  void shouldRefuseAFileWithEveryLineAndChangeNothing() throws Exception {
    String broken = RunningFixture.TEXT.replace("scheduler: rr", "scheduler: best").replace("capacity: 16384", "size: 1");
    Path file = fixture.file(broken);
    for (String command : List.of("plan", "apply")) {
      CommandRun run = fixture.ctl(command, file);
      assertThat(run.exit()).isEqualTo(2);
      assertThat(run.out()).isEmpty();
      assertThat(run.err().lines())
          .hasSize(2)
          .anyMatch(line -> line.startsWith("lb ctl: " + file + ":15: service web: scheduler: ") && line.contains("; "))
          .anyMatch(line -> line.startsWith("lb ctl: " + file + ":29: ") && line.endsWith("[unknown-key]"));
      CommandRun asJson = fixture.ctl(command, file, "--json");
      assertThat((List<?>) Json.object(asJson.out()).get("findings")).hasSize(2);
    }
    assertThat(done("config")).isEqualTo(RunningFixture.TEXT);
  }

  @Test
  void shouldRefuseWhatTheLibraryRefuses() throws Exception {
    Path file = fixture.file(RunningFixture.TEXT.replace("{name: rs2, address: 192.0.2.22}", "{name: x, address: 203.0.113.7}"));
    CommandRun run = fixture.ctl("apply", file);
    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.err()).startsWith("lb ctl: " + file + ":20: ").contains("[server-not-on-link]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"web/rs9", "web", "rs1", "/", "a/b/c"})
  void shouldRefuseUnknownServers(String name) {
    CommandRun run = fixture.ctl("drain", name);
    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.err()).isEqualTo(
        "lb ctl: there is no server '" + name + "'; write SERVICE/SERVER as 'servers' lists them\n");
  }

  @Test
  void shouldRefuseUnknownServicesAndFiles() {
    assertThat(fixture.ctl("servers", "shop").exit()).isEqualTo(2);
    assertThat(fixture.ctl("servers", "shop").err()).contains("shop").contains("[unknown-name]");
    assertThat(fixture.ctl("plan", fixture.directory.resolve("none.yaml")).exit()).isEqualTo(2);
  }

  @Test
  void shouldListFlowsAndEndThem() throws Exception {
    for (int client = 1; client <= 6; client++) {
      fixture.connect("198.51.100." + client);
    }
    assertThat(done("flows").lines()).hasSize(7).anyMatch(line -> line.contains("198.51.100.3 40000"));
    assertThat(done("flows", "--client", "198.51.100.2/31").lines()).hasSize(3);
    assertThat(done("flows", "--limit", "4").lines()).hasSize(5);
    assertThat(done("flows", "--server", "rs1", "--service", "web", "--state", "syn,fin", "--protocol", "tcp").lines())
        .hasSize(4);
    assertThat(done("flows", "--state", "udp", "--kind", "direct", "--idle-at-most", "1h").lines()).hasSize(1);
    List<?> flows = (List<?>) json("flows", "--client", "198.51.100.5", "--port", "80").get("flows");
    assertThat(object(flows.get(0)))
        .containsEntry("kind", "direct")
        .containsEntry("protocol", "tcp")
        .containsEntry("source", "198.51.100.5")
        .containsEntry("sourcePort", 40_000L)
        .containsEntry("destination", "192.0.2.10")
        .containsEntry("service", "web")
        .containsEntry("state", "syn");
    assertThat(done("flows", "--client", "198.51.100.4/30", "--end")).isEqualTo("3 ended\n");
    assertThat(fixture.ctl("flows", "--end").exit()).as("no condition").isEqualTo(2);
    assertThat(json("flows", "--end", "--all")).isEqualTo(Map.of("ended", 3L));
    assertThat(done("flows").lines()).hasSize(1);
  }

  @Test
  void shouldNotEndMoreThanWasAskedFor() {
    fixture.connect("198.51.100.1");
    fixture.connect("198.51.100.2");
    CommandRun flows = fixture.ctl("flows", "--service", "web", "--end", "--limit", "1");
    assertThat(flows.exit()).isEqualTo(2);
    assertThat(flows.err()).startsWith("lb ctl flows: --limit 1: is for listing");
    CommandRun clients = fixture.ctl("clients", "web", "--server", "rs1", "--forget", "--limit", "1");
    assertThat(clients.exit()).isEqualTo(2);
    assertThat(clients.err()).startsWith("lb ctl clients: --limit 1: is for listing");
    assertThat(done("flows").lines()).hasSize(3);
    assertThat(done("clients", "web").lines()).hasSize(3);
    assertThat(fixture.ctl("flows", "--limit", "0").exit()).isEqualTo(2);
    assertThat(fixture.ctl("clients", "web", "--limit", "-1").exit()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({
    "--client, 198.51.100.1/24, host bits", "--state, open, established", "--protocol, sctp, icmpv6", "--port, 0, 1..65535",
    "--idle-at-least, 5, 300s", "--service, shop, there is no such service", "--kind, x, outbound",
  })
  void shouldRefuseFiltersThatMeanNothing(String option, String value, String words) {
    CommandRun run = fixture.ctl("flows", option, value);
    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.err()).contains(words);
  }

  @Test
  void shouldListFlowsPageByPage() throws Exception {
    int all = 2500;
    for (int client = 0; client < all; client++) {
      fixture.connect("198.18." + client / 250 + "." + (1 + client % 250));
    }
    CommandRun run = fixture.ctl("flows", "--limit", "100000", "--json");
    assertThat(run.exit()).isZero();
    int seen = 0;
    for (String line : run.out().lines().toList()) {
      seen += ((List<?>) Json.object(line).get("flows")).size();
    }
    assertThat(run.out().lines().count()).isBetween(3L, 4L);
    assertThat(seen).isEqualTo(all);
  }

  @Test
  void shouldListClientsAndForgetThem() throws Exception {
    fixture.connect("198.51.100.1");
    fixture.connect("198.51.100.2");
    assertThat(done("clients", "web").lines()).hasSize(3).anyMatch(line -> line.contains("198.51.100.1 "));
    List<?> clients = (List<?>) json("clients", "web", "--client", "198.51.100.2").get("clients");
    assertThat(clients).hasSize(1);
    assertThat(object(clients.get(0))).containsEntry("client", "198.51.100.2").containsKeys("server", "remainingMs");
    assertThat(fixture.ctl("clients", "web", "--forget").exit()).isEqualTo(2);
    assertThat(done("clients", "web", "--forget", "--client", "198.51.100.2")).isEqualTo("1 forgotten\n");
    assertThat(done("clients", "web", "--forget", "--all")).isEqualTo("1 forgotten\n");
    assertThat(fixture.ctl("clients", "a/b").err()).contains("lb ctl: ");
    assertThat(fixture.ctl("clients", "a/b").exit()).as("without persistence").isEqualTo(2);
  }

  @Test
  void shouldSaveFlowsAndClientsAndRestoreThem() throws Exception {
    for (int client = 1; client <= 6; client++) {
      fixture.connect("198.51.100." + client);
    }
    Path file = fixture.directory.resolve("new.yaml");
    assertThat(done("save", file)).isEqualTo("saved 6 flows, 6 clients\n");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
    assertThat(done("restore", file)).startsWith("restored 0 flows (6 already-there), ");
    done("flows", "--end", "--all");
    done("clients", "web", "--forget", "--all");
    assertThat(object(json("restore", file).get("flows"))).isEqualTo(Map.of("taken-over", 6L));
    assertThat(done("flows").lines()).hasSize(7);
    assertThat(json("save", file, "--used-within", "1h")).isEqualTo(Map.of("flows", 6L, "clients", 6L));
    assertThat(fixture.ctl("save", file, "--used-within", "soon").exit()).isEqualTo(2);
    assertThat(Files.size(file)).as("left as it was").isPositive();
  }

  @Test
  void shouldTellWhyStateCannotBeRestored() throws Exception {
    Path file = fixture.file("nonsense".repeat(100_000));
    CommandRun run = fixture.ctl("restore", file);
    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.err()).contains("0 flows and 0 clients were taken over");
    assertThat(fixture.ctl("restore", fixture.directory.resolve("none")).exit()).isEqualTo(1);
    assertThat(fixture.ctl("save", Path.of("/proc/none/state")).exit()).isEqualTo(1);
  }

  @Test
  void shouldTellWhyAFileCannotBeUsed() throws Exception {
    Path none = fixture.directory.resolve("none");
    String missing = "lb ctl: " + none + ": no such file or directory\n";
    assertThat(fixture.ctl("restore", none).err()).isEqualTo(missing);
    assertThat(fixture.ctl("save", none.resolve("state")).err())
        .isEqualTo("lb ctl: " + none + "/state.part: no such file or directory\n");
    assertThat(fixture.ctl("apply", none).err()).isEqualTo(missing.replace("ctl:", "ctl apply:"));
    CommandRun taken = fixture.ctl("save", fixture.directory);
    assertThat(taken.exit()).isEqualTo(1);
    assertThat(taken.out()).as("nothing was saved").isEmpty();
    Path latin = Files.write(fixture.directory.resolve("new.yaml"), new byte[] {'#', (byte) 0xE9});
    assertThat(fixture.ctl("plan", latin).err()).contains(latin + ": is not UTF-8");
  }

  /** As {@code lb ctl events --follow | head -n 3}, with a reader who is slow. */
  @Test
  @Timeout(30)
  void shouldFollowUntilNobodyReads() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Writer pipe = new Writer() {
      private int lines;

      @Override
      public void write(char[] text, int from, int length) throws IOException {
        begun.countDown();
        await(goOn);
        for (int i = from; i < from + length; i++) {
          lines += text[i] == '\n' ? 1 : 0;
        }
        if (lines > 2000) {
          throw new IOException("Broken pipe");
        }
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
    StringWriter err = new StringWriter();
    String[] args = {"ctl", "--socket", fixture.socket.toString(), "events", "--follow"};
    CommandLine line = Lb.commandLine(args);
    line.setOut(new PrintWriter(pipe, true)).setErr(new PrintWriter(err, true));
    AtomicBoolean ended = new AtomicBoolean();
    Thread events = new Thread(() -> {
      for (int i = 0; !ended.get(); i++) {
        fixture.events.onEvent(new Event.ServerDown("web", "rs" + i, "refused", "x".repeat(200)));
        if (i == 20 * EventLog.CAPACITY) {
          await(begun);
          goOn.countDown();
        } else if (i > 20 * EventLog.CAPACITY) {
          Thread.yield();
        }
      }
    });
    events.start();
    try {
      assertThat(line.execute(args)).isZero();
    } finally {
      ended.set(true);
      goOn.countDown();
      events.join();
    }
    assertThat(err.toString()).containsPattern("lb ctl: [0-9]+ events were missed here\n");
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void shouldTellRates() throws Exception {
    fixture.connect("198.51.100.1");
    assertThat(done("rates").lines())
        .anyMatch(line -> line.startsWith("  test0 frames in "))
        .anyMatch(line -> line.startsWith("  web/rs1 new flows "))
        .anyMatch(line -> line.startsWith("  active flows "));
    Map<String, Object> rates = json("rates");
    assertThat(rates).containsKeys("interfaces", "services", "active", "byInterface", "byService");
    assertThat(object(rates.get("services"))).containsOnlyKeys("1s", "10s", "60s", "peak");
  }

  @Test
  void shouldChangeRoles() throws Exception {
    assertThat(json("claims").get("claims").toString()).contains("192.0.2.10", "2001:db8:1::10", "claimed");
    assertThat(done("passive")).isEqualTo("passive\n");
    assertThat(done("passive")).as("again").isEqualTo("passive\n");
    assertThat(fixture.balancer.role()).isEqualTo(Role.PASSIVE);
    assertThat(done("claims").lines()).hasSize(3).filteredOn(line -> line.endsWith("passive")).hasSize(2);
    assertThat(done("status")).startsWith("test.yaml, passive, for ");
    assertThat(json("active")).isEqualTo(Map.of("done", "active"));
    assertThat(fixture.balancer.role()).isEqualTo(Role.ACTIVE);
  }

  @Test
  void shouldPrintTheLastEvents() throws Exception {
    fixture.events.onEvent(new Event.ServerDown("web", "rs1", "refused", ""), 3);
    assertThat(done("events")).contains("server web/rs1 is down: refused (3 before it left out)");
    List<?> events = (List<?>) json("events").get("events");
    assertThat(object(events.get(events.size() - 1)))
        .containsEntry("event", "ServerDown")
        .containsEntry("category", "server")
        .containsEntry("subject", "web/rs1")
        .containsEntry("suppressed", 3L);
  }

  @Test
  void shouldSayWhenNobodyAnswers() throws Exception {
    CommandRun run = CommandRun.lb("ctl", "--socket", fixture.directory.resolve("no.sock"), "status");
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.err()).contains("there is no such socket");
    Path loop = fixture.directory.resolve("new.yaml");
    Files.createSymbolicLink(loop, loop);
    CommandRun hidden = CommandRun.lb("ctl", "--socket", loop.resolve("lb.sock"), "status");
    assertThat(hidden.exit()).isEqualTo(1);
    assertThat(hidden.err()).as("not that there is none").contains("symbolic links");
  }

  @Test
  void shouldSayWhenTheBalancerIsGone() throws Exception {
    Path other = fixture.directory.resolve("new.yaml");
    SocketFile dead = SocketFile.open(other);
    dead.channel().close();
    CommandRun run = CommandRun.lb("ctl", "--socket", other, "status");
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.err()).contains("does lb run");
    dead.close();
    assertThat(Files.exists(other)).isFalse();
  }
}
