package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lb4j.persistence.PersistenceScope;
import io.lb4j.persistence.SourceIpPersistence;
import io.lb4j.schedule.Schedulers;
import io.lb4j.service.DrainBehavior;
import io.lb4j.service.PortRange;
import io.lb4j.service.Protocol;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which flows of a client go together, per scope of persistence. */
class PersistenceScopeTest {
  private static final SourceIpPersistence TWENTY_SECONDS = SourceIpPersistence.timeout(Duration.ofSeconds(20));

  /** Where the client's second flow goes, beside one to port 80 of "web". */
  private enum Second {
    SAME_PORT,
    OTHER_PORT_OF_THE_SERVICE,
    OTHER_SERVICE_OF_THE_GROUP,
    OTHER_SERVICE_OF_THE_ADDRESS,
    OTHER_SERVICE;

    boolean goesWith(PersistenceScope scope) {
      return switch (this) {
        case SAME_PORT -> true;
        case OTHER_PORT_OF_THE_SERVICE -> scope != PersistenceScope.PORT;
        case OTHER_SERVICE_OF_THE_GROUP -> scope == PersistenceScope.GROUP;
        case OTHER_SERVICE_OF_THE_ADDRESS -> scope == PersistenceScope.VIP;
        case OTHER_SERVICE -> false;
      };
    }
  }

  private static String address(boolean v6, int last) {
    return (v6 ? "2001:db8:5::" : "192.0.2.") + last;
  }

  private static VirtualServiceBuilder service(boolean v6, String name, int vip, String ports) {
    VirtualServiceBuilder service =
        VirtualService.of(Protocol.TCP, PortRange.of(ports))
            .vip(address(v6, vip))
            .named(name)
            .forwarding(DirectServerReturn.create())
            .scheduler(Schedulers.roundRobin());
    return Lan.withServers(service, v6, 3);
  }

  private static Lan lan(boolean v6, List<VirtualServiceBuilder> services) {
    return new Lan(
        v6,
        builder -> {
          services.forEach(builder::service);
          return builder;
        });
  }

  /** Two services of one group on one address. */
  private static Lan group(boolean v6, SourceIpPersistence settings, DrainBehavior drain) {
    List<VirtualServiceBuilder> services = new ArrayList<>();
    services.add(service(v6, "web", 100, "80"));
    services.add(service(v6, "tls", 100, "443"));
    services.forEach(service -> service.group("shop").persistence(settings.scope(PersistenceScope.GROUP)).drain(drain));
    return lan(v6, services);
  }

  private static FrameBuilder syn(Lan lan, int client, int vip, int from, int to) {
    return FrameBuilder.from(lan.client(client), address(lan.v6, vip))
        .macs(Lan.LB_MAC, Lan.ROUTER_MAC)
        .padTo(60)
        .tcp(from, to, TcpHeader.SYN);
  }

  private static String web(Lan lan, int client, int from) {
    return lan.serverOf(syn(lan, client, 100, from, 80));
  }

  private static String tls(Lan lan, int client, int from) {
    return lan.serverOf(syn(lan, client, 100, from, 443));
  }

  private static List<Object[]> matrix() {
    List<Object[]> rows = new ArrayList<>();
    for (PersistenceScope scope : PersistenceScope.values()) {
      for (Second second : Second.values()) {
        rows.add(new Object[] {scope, second, false});
        rows.add(new Object[] {scope, second, true});
      }
    }
    return rows;
  }

  @ParameterizedTest
  @MethodSource("matrix")
  void shouldKeepAClientTogetherExactlyWithinTheScope(PersistenceScope scope, Second second, boolean v6) {
    SourceIpPersistence settings = SourceIpPersistence.create().scope(scope);
    List<VirtualServiceBuilder> services =
        List.of(
            service(v6, "web", 100, "80-89").group("shop").persistence(settings),
            service(v6, "grouped", 101, "443").group("shop").persistence(settings),
            service(v6, "beside", 100, "443").group("post").persistence(settings),
            service(v6, "other", 102, "80").group("else").persistence(settings));
    try (Lan lan = lan(v6, services)) {
      FrameBuilder next =
          switch (second) {
            case SAME_PORT -> syn(lan, 1, 100, 4001, 80);
            case OTHER_PORT_OF_THE_SERVICE -> syn(lan, 1, 100, 4001, 81);
            case OTHER_SERVICE_OF_THE_GROUP -> syn(lan, 1, 101, 4001, 443);
            case OTHER_SERVICE_OF_THE_ADDRESS -> syn(lan, 1, 100, 4001, 443);
            case OTHER_SERVICE -> syn(lan, 1, 102, 4001, 80);
          };
      lan.serverOf(syn(lan, 9, 101, 4000, 443)); // the others' turn is past s1
      lan.serverOf(syn(lan, 9, 100, 4000, 443));
      lan.serverOf(syn(lan, 9, 102, 4000, 80));
      assertThat(lan.serverOf(syn(lan, 1, 100, 4000, 80))).isEqualTo("s1");
      String expected = second.goesWith(scope) ? "s1" : "s2";
      assertThat(lan.serverOf(next)).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({"GROUP,false", "GROUP,true", "VIP,false", "VIP,true"})
  void shouldNotShareWithServicesOfAnotherScope(PersistenceScope scope, boolean v6) {
    SourceIpPersistence shared = SourceIpPersistence.create().scope(scope);
    List<VirtualServiceBuilder> services =
        List.of(
            service(v6, "web", 100, "80").group("shop").persistence(shared),
            service(v6, "tls", 100, "443").group("shop").persistence(SourceIpPersistence.create()));
    try (Lan lan = lan(v6, services)) {
      assertThat(tls(lan, 9, 4000)).isEqualTo("s1");
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      assertThat(tls(lan, 1, 4001)).isEqualTo("s2");
    }
  }

  // ---- drain ---------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldKeepVisitorsOfAGroupComingWhilePersistenceDrives(boolean v6) {
    try (Lan lan = group(v6, TWENTY_SECONDS, DrainBehavior.PERSISTENCE_DRIVEN)) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      drainEverywhere(lan);
      for (int visit = 1; visit < 10; visit++) {
        lan.nowNs += 15_000_000_000L;
        assertThat(visit % 2 == 0 ? web(lan, 1, 4000 + visit) : tls(lan, 1, 4000 + visit)).isEqualTo("s1");
      }
      lan.nowNs += 20_000_000_000L;
      assertThat(web(lan, 1, 4100)).as("it has not come for the time-out").isNotEqualTo("s1");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldMigrateVisitorsOfAGroupTogether(boolean v6) {
    try (Lan lan = group(v6, TWENTY_SECONDS, DrainBehavior.MIGRATE_VISITORS)) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      drainEverywhere(lan);
      String next = tls(lan, 1, 4001);
      assertThat(next).isNotEqualTo("s1");
      assertThat(web(lan, 1, 4002)).isEqualTo(next);
      assertThat(tls(lan, 1, 4003)).isEqualTo(next);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRetireSessionsOfAGroupWhenTheirTimeIsOverWhateverTheVisits(boolean v6) {
    try (Lan lan = group(v6, TWENTY_SECONDS, DrainBehavior.RETIRE_SESSIONS)) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      drainEverywhere(lan);
      lan.nowNs += 10_000_000_000L;
      assertThat(tls(lan, 1, 4001)).isEqualTo("s1");
      lan.nowNs += 9_999_999_999L;
      assertThat(web(lan, 1, 4002)).isEqualTo("s1");
      lan.nowNs += 1;
      String next = tls(lan, 1, 4003);
      assertThat(next).isNotEqualTo("s1");
      assertThat(web(lan, 1, 4004)).isEqualTo(next);
    }
  }

  private static void drainEverywhere(Lan lan) {
    lan.balancer.service("web").realServer("s1").drain();
    lan.balancer.service("tls").realServer("s1").drain();
  }

  // ---- a server that not all services have -----------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({"false,offline", "true,offline", "false,remove", "true,remove"})
  void shouldMoveAClientForTheWholeGroupWhenOneServiceCannotUseItsServer(boolean v6, String how) {
    try (Lan lan = group(v6, TWENTY_SECONDS, DrainBehavior.PERSISTENCE_DRIVEN)) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      withdraw(lan, "tls", how);
      String next = tls(lan, 1, 4001);
      assertThat(next).isNotEqualTo("s1");
      assertThat(web(lan, 1, 4002)).as("one server for all of the group again").isEqualTo(next);
    }
  }

  @ParameterizedTest
  @CsvSource({"false,offline", "true,offline", "false,remove", "true,remove"})
  void shouldForgetNothingOfTheOtherServicesWhenOneLosesAServer(boolean v6, String how) {
    try (Lan lan = group(v6, TWENTY_SECONDS, DrainBehavior.PERSISTENCE_DRIVEN)) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      withdraw(lan, "tls", how);
      assertThat(web(lan, 2, 4000)).isEqualTo("s2");
      assertThat(web(lan, 1, 4001)).isEqualTo("s1");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldForgetAServersClientsWhenTheLastServiceLosesIt(boolean v6) {
    try (Lan lan = group(v6, TWENTY_SECONDS, DrainBehavior.PERSISTENCE_DRIVEN)) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      withdraw(lan, "web", "remove");
      withdraw(lan, "tls", "remove");
      for (String name : List.of("web", "tls")) {
        VirtualService declared = lan.balancer.service(name).declaration();
        lan.balancer.replaceService(declared.toBuilder().realServer("s1", lan.server(1)).build());
      }
      assertThat(web(lan, 2, 4000)).isEqualTo("s2");
      assertThat(web(lan, 1, 4001)).as("nothing is left of its time with s1").isEqualTo("s3");
    }
  }

  private static void withdraw(Lan lan, String service, String how) {
    if (how.equals("offline")) {
      lan.balancer.service(service).realServer("s1").offline();
    } else {
      lan.balancer.service(service).removeRealServer("s1");
    }
  }

  // ---- time ------------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @MethodSource("scopes")
  void shouldRememberAClientWhileOneOfItsFlowsLives(PersistenceScope scope, boolean v6) {
    List<VirtualServiceBuilder> services =
        List.of(service(v6, "web", 100, "80").group("shop").persistence(TWENTY_SECONDS.scope(scope)));
    try (Lan lan = lan(v6, services)) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      assertThat(lan.serverOf(lan.frame(1).tcp(4000, 80, TcpHeader.ACK).numbers(2, 9))).isEqualTo("s1");
      for (int second = 0; second < 200; second++) {
        lan.after(1_000);
      }
      assertThat(web(lan, 1, 4001)).isEqualTo("s1");
    }
  }

  private static List<Object[]> scopes() {
    List<Object[]> rows = new ArrayList<>();
    for (PersistenceScope scope : PersistenceScope.values()) {
      rows.add(new Object[] {scope, false});
      rows.add(new Object[] {scope, true});
    }
    return rows;
  }

  // ---- changes -----------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "timeout,true", "capacity,true", "scope GROUP,true", "scope VIP,true", "scope PORT,false", "prefix,false"
  })
  void shouldKeepClientsOverAChangeThatLeavesThemApartAsTheyWere(String what, boolean kept) {
    SourceIpPersistence before = SourceIpPersistence.create();
    SourceIpPersistence after =
        switch (what) {
          case "timeout" -> SourceIpPersistence.timeout(Duration.ofMinutes(1));
          case "capacity" -> before.capacity(500);
          case "prefix" -> before.prefixLengths(24, 64);
          default -> before.scope(PersistenceScope.valueOf(what.substring(6)));
        };
    try (Lan lan = lan(false, List.of(service(false, "web", 100, "80").persistence(before)))) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      lan.balancer.replaceService(service(false, "web", 100, "80").group("shop").persistence(after).build());
      assertThat(web(lan, 1, 4001)).isEqualTo(kept ? "s1" : "s2");
    }
  }

  @Test
  void shouldShortenWhatIsLeftOfAClientsTimeWithTheTimeout() {
    try (Lan lan = lan(false, List.of(service(false, "web", 100, "80").persistence(SourceIpPersistence.create())))) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      lan.balancer.replaceService(service(false, "web", 100, "80").persistence(TWENTY_SECONDS).build());
      lan.nowNs += 20_000_000_000L;
      assertThat(web(lan, 1, 4001)).isEqualTo("s2");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeTheLaterServerWhenServicesComeTogetherAndPartWithIt(boolean v6) {
    SourceIpPersistence settings = SourceIpPersistence.create().scope(PersistenceScope.VIP);
    List<VirtualServiceBuilder> services =
        List.of(
            service(v6, "web", 100, "80").persistence(settings), service(v6, "tls", 101, "443").persistence(settings));
    try (Lan lan = lan(v6, services)) {
      assertThat(web(lan, 1, 4000)).isEqualTo("s1");
      lan.nowNs += 1_000_000_000L;
      lan.serverOf(syn(lan, 9, 101, 4000, 443));
      assertThat(lan.serverOf(syn(lan, 1, 101, 4000, 443))).isEqualTo("s2");
      VirtualService bridge =
          service(v6, "bridge", 100, "8080").vip(address(v6, 101)).persistence(settings).build();
      lan.balancer.addService(bridge);
      assertThat(lan.serverOf(syn(lan, 1, 100, 4001, 8080))).isEqualTo("s2");
      assertThat(web(lan, 1, 4002)).isEqualTo("s2");
      lan.balancer.removeService("bridge");
      assertThat(web(lan, 1, 4003)).isEqualTo("s2");
      assertThat(lan.serverOf(syn(lan, 1, 101, 4001, 443))).isEqualTo("s2");
      assertThat(web(lan, 2, 4000)).isEqualTo("s2");
      lan.serverOf(syn(lan, 8, 101, 4000, 443));
      assertThat(lan.serverOf(syn(lan, 2, 101, 4000, 443))).as("each on its own again").isEqualTo("s1");
    }
  }

  // ---- refused -----------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(names = {"GROUP", "VIP"})
  void shouldRefuseServicesThatShareClientsAndDoNotAgree(PersistenceScope scope) {
    SourceIpPersistence settings = SourceIpPersistence.create().scope(scope);
    List<VirtualServiceBuilder> services =
        List.of(
            service(false, "web", 100, "80").group("shop").persistence(settings),
            service(false, "tls", 100, "443").group("shop").persistence(settings.prefixLengths(24, 64)));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> lan(false, services))
        .withMessageContaining("service tls: persistence")
        .withMessageContaining("service web shares its clients")
        .satisfies(e -> assertThat(e.error()).isEqualTo(ConfigurationError.CONTRADICTION));
  }

  @Test
  void shouldRefuseTheScopeOfAGroupWithoutAGroup() {
    SourceIpPersistence settings = SourceIpPersistence.create().scope(PersistenceScope.GROUP);
    refused(service(false, "web", 100, "80").persistence(settings), "service web: group", ConfigurationError.MISSING);
  }

  @ParameterizedTest
  @EnumSource(PersistenceScope.class)
  void shouldRefuseTwoServersOfOneAddressWhereClientsAreShared(PersistenceScope scope) {
    VirtualServiceBuilder service =
        service(false, "web", 100, "80")
            .group("shop")
            .persistence(SourceIpPersistence.create().scope(scope))
            .realServer("s9", "192.0.2.11", s -> s.port(8080));
    if (scope.isShared()) {
      refused(service, "service web: server s9", ConfigurationError.CONTRADICTION);
    } else {
      assertThat(service.build().servers()).hasSize(4);
    }
  }

  private static void refused(VirtualServiceBuilder service, @Nullable String setting, ConfigurationError error) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(service::build)
        .satisfies(e -> assertThat(e.setting()).isEqualTo(setting))
        .satisfies(e -> assertThat(e.error()).isEqualTo(error));
  }
}
