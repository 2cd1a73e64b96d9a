package io.lb4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.dataplane.Standing;
import io.lb4j.service.Activity;
import io.lb4j.service.ConnectionLimit;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.Health;
import io.lb4j.service.LostFlows;
import io.lb4j.service.Overflow;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.service.WhenAllDown;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class EligibilityTest {
  private static final ForwardingMethod METHOD = () -> "test";

  private final VirtualServiceBuilder web = VirtualService.tcp("192.0.2.10", 80).named("web").forwarding(METHOD);
  private final Map<String, Health> health = new HashMap<>();

  private EligibilityTest server(String name, Activity activity, int tier, Health state) {
    String address = "192.0.2.2" + name.substring(1);
    web.realServer(name, address, s -> s.activity(activity).tier(tier));
    health.put(address, state);
    return this;
  }

  private Eligibility eligibility() {
    return Eligibility.of(web.build(), health);
  }

  private static List<String> names(List<RealServer> servers) {
    return servers.stream().map(RealServer::name).toList();
  }

  private Standing standing(String name) {
    VirtualService built = web.build();
    return Eligibility.of(built, health).standing(built.server(name).orElseThrow());
  }

  /** The table of docs/operations.md, a row per cell; a second server is online and up. */
  @ParameterizedTest
  @CsvSource({
    "ONLINE,  UP,      true,  true,  true",
    "ONLINE,  UNKNOWN, true,  true,  true",
    "ONLINE,  DOWN,    false, true,  false",
    "DRAIN,   UP,      false, true,  true",
    "DRAIN,   UNKNOWN, false, true,  true",
    "DRAIN,   DOWN,    false, true,  false",
    "OFFLINE, UP,      false, false, false",
    "OFFLINE, UNKNOWN, false, false, false",
    "OFFLINE, DOWN,    false, false, false",
    "STANDBY, UP,      false, true,  false",
    "STANDBY, UNKNOWN, false, true,  false",
    "STANDBY, DOWN,    false, true,  false",
  })
  void shouldDecideByActivityAndHealth(
      Activity activity, Health state, boolean takesNew, boolean keeps, boolean honors) {
    server("s1", activity, 1, state).server("s2", Activity.ONLINE, 1, Health.UP);
    Standing standing = standing("s1");
    assertThat(standing.takesNewFlows()).as("new flows").isEqualTo(takesNew);
    assertThat(standing.keepsFlows()).as("established flows").isEqualTo(keeps);
    assertThat(standing.honorsClients()).as("persistent flows").isEqualTo(honors);
    assertThat(names(eligibility().pool())).containsExactlyElementsOf(takesNew ? List.of("s1", "s2") : List.of("s2"));
  }

  @ParameterizedTest
  @EnumSource(LostFlows.Fate.class)
  void shouldLetTheServiceDecideAboutFlowsOfAServerThatIsDown(LostFlows.Fate fate) {
    server("s1", Activity.ONLINE, 1, Health.DOWN).server("s2", Activity.ONLINE, 1, Health.UP);
    web.whenServerDown(new LostFlows(fate, LostFlows.Fate.DROP));
    assertThat(standing("s1").lost()).isEqualTo(fate);
    assertThat(standing("s1").keepsFlows()).isEqualTo(fate == LostFlows.Fate.KEEP);
  }

  @ParameterizedTest
  @CsvSource({"PERSISTENCE_DRIVEN, true, true", "MIGRATE_VISITORS, false, false", "RETIRE_SESSIONS, true, false"})
  void shouldTreatTheClientsOfADrainingServerAsItsBehaviorSays(DrainBehavior behavior, boolean honors, boolean extends_) {
    web.drain(behavior);
    server("s1", Activity.DRAIN, 1, Health.UP).server("s2", Activity.ONLINE, 1, Health.UP);
    assertThat(standing("s1").honorsClients()).isEqualTo(honors);
    assertThat(standing("s1").extendsClients()).isEqualTo(extends_);
    assertThat(standing("s1").keepsFlows()).isTrue();
  }

  @Test
  void shouldTakeAServerOfWeight0ForADrainingOne() {
    web.realServer("s1", "192.0.2.21", s -> s.weight(0));
    assertThat(standing("s1")).isEqualTo(new Standing(false, true, LostFlows.Fate.KEEP, true, true));
    assertThat(eligibility().pool()).isEmpty();
  }

  @Test
  void shouldUseTheLowestTierThatServesWhileNoOnlineServerDoes() {
    server("s1", Activity.ONLINE, 1, Health.DOWN)
        .server("s2", Activity.STANDBY, 1, Health.DOWN)
        .server("s3", Activity.STANDBY, 2, Health.UP)
        .server("s4", Activity.STANDBY, 2, Health.UNKNOWN)
        .server("s5", Activity.STANDBY, 3, Health.UP);
    assertThat(names(eligibility().pool())).containsExactly("s3", "s4");
    assertThat(standing("s3").honorsClients()).isTrue();
    health.put("192.0.2.21", Health.UP);
    assertThat(names(eligibility().pool())).as("after recovery").containsExactly("s1");
    assertThat(standing("s3")).isEqualTo(new Standing(false, true, LostFlows.Fate.KEEP, false, false));
  }

  @ParameterizedTest
  @CsvSource({"CLOSED, ''", "OPEN, 's1 s2'", "STANDBY, 's3'"})
  void shouldDoAsDeclaredWhenAllAreDown(WhenAllDown policy, String expected) {
    web.whenAllDown(policy);
    server("s1", Activity.ONLINE, 1, Health.DOWN)
        .server("s2", Activity.ONLINE, 1, Health.DOWN)
        .server("s3", Activity.STANDBY, 1, Health.DOWN)
        .server("s4", Activity.STANDBY, 2, Health.DOWN);
    Eligibility all = eligibility();
    assertThat(String.join(" ", names(all.pool()))).isEqualTo(expected);
    assertThat(all.forced()).isEqualTo(policy != WhenAllDown.CLOSED);
    all.pool().forEach(server -> assertThat(all.standing(server).takesNewFlows()).isTrue());
  }

  @Test
  void shouldKeepAStandbyPoolForOverflowOnlyWhereThatIsDeclared() {
    server("s1", Activity.ONLINE, 1, Health.UP).server("s2", Activity.STANDBY, 1, Health.UP);
    assertThat(eligibility().overflow()).isEmpty();
    web.maxConnections(ConnectionLimit.of(10), Overflow.STANDBY);
    assertThat(names(eligibility().overflow())).containsExactly("s2");
    health.put("192.0.2.21", Health.DOWN);
    assertThat(names(eligibility().pool())).containsExactly("s2");
    assertThat(eligibility().overflow()).isEmpty();
  }
}
