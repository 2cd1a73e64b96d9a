package io.lb4j.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import io.lb4j.control.CountedService;
import io.lb4j.counters.LinkCounts;
import io.lb4j.counters.ServerCounts;
import io.lb4j.service.RealServer;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.topology.Link;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RateSamplerTest {
  private static final long MS = 1_000_000L;

  /** A server that is declared: its service, its number, and a name for what it counts. */
  private record Declared(String service, int number) {}

  private final Map<Integer, ServerCounts> servers = new HashMap<>();
  private final LinkCounts[] links = {LinkCounts.ZERO, LinkCounts.ZERO};
  private List<Declared> declared = List.of(new Declared("web", 1), new Declared("web", 2));
  private long nowNs;
  private RateSampler sampler;

  private List<CountedService> counted() {
    Map<String, List<CountedService.Server>> byService = new LinkedHashMap<>();
    for (Declared one : declared) {
      RealServer server = new RealServer.Options().build("rs" + one.number, IpAddress.of("192.0.2." + one.number));
      byService
          .computeIfAbsent(one.service, name -> new ArrayList<>())
          .add(new CountedService.Server(server, servers.getOrDefault(one.number, ServerCounts.ZERO)));
    }
    return byService.entrySet().stream().map(entry -> service(entry.getKey(), entry.getValue())).toList();
  }

  private static CountedService service(String name, List<CountedService.Server> servers) {
    VirtualServiceBuilder declaration = VirtualService.tcp("192.0.2.100", 80).named(name).forwarding(() -> "any");
    return new CountedService(declaration.build(), servers);
  }

  private void change(Declared... next) {
    sampler.collect();
    declared = List.of(next);
    sampler.adopt();
  }

  private static Link link(int index) {
    return new Link(index, "eth" + index, MacAddress.of("02:00:00:00:00:01"), 1500, List.of(), false, false, false);
  }

  private void start(long startNs) {
    nowNs = startNs;
    sampler =
        new RateSampler(
            nowNs,
            List.of(link(0), link(1)),
            this::counted,
            index -> links[index]);
  }

  /** Frames of 100 bytes, half as many replies of 1,000 bytes, and a tenth as many flows. */
  private void count(int binding, long frames) {
    ServerCounts more = new ServerCounts(frames, frames * 100, frames / 10, 0, 0, 0, 0, frames / 2, frames * 500, 0, 0);
    servers.merge(binding, more, ServerCounts::plus);
  }

  private void active(int binding, long active) {
    ServerCounts now = servers.getOrDefault(binding, ServerCounts.ZERO);
    long change = active - now.active();
    servers.put(binding, now.plus(new ServerCounts(0, 0, 0, change, change, 0, 0, 0, 0, 0, 0)));
  }

  private void after(long millis) {
    nowNs += millis * MS;
    sampler.tick(nowNs);
  }

  private Rates.ServiceRates web() {
    return sampler.read().byService().get(0);
  }

  private static void assertRate(Rates.FlowRate rate, double frames) {
    double exact = Math.max(1e-9, frames * 1e-12);
    assertThat(rate.frames()).isCloseTo(frames, within(exact));
    assertThat(rate.bytes()).isCloseTo(frames * 100, within(exact * 100));
    assertThat(rate.newFlows()).isCloseTo(frames / 10, within(exact));
    assertThat(rate.replyFrames()).isCloseTo(frames / 2, within(exact));
    assertThat(rate.replyBytes()).isCloseTo(frames * 500, within(exact * 500));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, Long.MAX_VALUE - 30_000 * MS, Long.MIN_VALUE})
  void shouldTellRatesOverThreeWindows(long startNs) {
    start(startNs);
    for (int second = 1; second <= 200; second++) {
      count(1, second * 10L);
      after(1000);
    }
    Rates.Windows<Rates.FlowRate> rates = web().rates();
    assertRate(rates.second(), 2000);
    assertRate(rates.tenSeconds(), (2000 + 1910) / 2.0);
    assertRate(rates.minute(), (2000 + 1410) / 2.0);
    assertRate(rates.peak(), 2000);
    assertThat(web().servers().get(0).rates()).isEqualTo(rates);
    assertRate(web().servers().get(1).rates().minute(), 0);
    assertThat(sampler.read().services()).isEqualTo(rates);
  }

  @Test
  void shouldHaveNoRatesBeforeTheFirstLook() {
    start(0);
    count(1, 100);
    sampler.tick(999 * MS);
    Rates rates = sampler.read();
    assertRate(rates.services().second(), 0);
    assertThat(rates.byInterface()).extracting(Rates.InterfaceRates::name).containsExactly("eth0", "eth1");
    assertThat(rates.byService().get(0).servers()).extracting(Rates.ServerRates::name).containsExactly("rs1", "rs2");
    after(1000);
    assertRate(web().rates().second(), 100);
  }

  @Test
  void shouldDivideByTheTimeSinceTheBeginningWhileThatIsShorterThanAWindow() {
    start(0);
    for (int second = 1; second <= 4; second++) {
      count(1, 60);
      after(1000);
    }
    after(1000);
    assertRate(web().rates().second(), 0);
    assertRate(web().rates().tenSeconds(), 48);
    assertRate(web().rates().minute(), 48);
    assertRate(web().rates().peak(), 60);
  }

  @Test
  void shouldDivideByTheTimeThatReallyWentByWhenTicksAreMissed() {
    start(0);
    count(1, 100);
    after(1000);
    count(1, 700);
    after(7000);
    assertRate(web().rates().second(), 100);
    assertRate(web().rates().tenSeconds(), 100);
    assertRate(web().rates().peak(), 100);
    count(1, 1500);
    after(1500);
    assertRate(web().rates().second(), 1000);
    assertRate(web().rates().tenSeconds(), 2300 / 9.5);
    assertRate(web().rates().peak(), 1000);
  }

  @Test
  void shouldLookOnceASecondHoweverOftenItIsTicked() {
    start(0);
    for (int tick = 1; tick <= 3000; tick++) {
      count(1, 10);
      after(10);
    }
    assertRate(web().rates().second(), 1000);
    assertRate(web().rates().peak(), 1000);
    assertThat(sampler.tick(nowNs)).isEqualTo(31_000 * MS);
    count(1, 1_000_000);
    after(999);
    assertRate(web().rates().second(), 1000);
  }

  /** A look that comes late must not be followed by a short second, whose rate would be a peak that never was. */
  @Test
  void shouldKeepToWholeSecondsAfterALateLook() {
    start(0);
    count(1, 190);
    after(1900);
    assertRate(web().rates().second(), 100);
    count(1, 10);
    after(100);
    assertRate(web().rates().second(), 100);
    count(1, 90);
    after(900);
    assertRate(web().rates().second(), 100);
    assertRate(web().rates().peak(), 100);
  }

  @Test
  void shouldKeepPeaksOfActiveFlows() {
    start(0);
    active(1, 40);
    active(2, 10);
    after(1000);
    active(1, 5);
    active(2, 30);
    after(1000);
    assertThat(web().active()).isEqualTo(new Rates.Active(35, 50));
    assertThat(web().servers().get(0).active()).isEqualTo(new Rates.Active(5, 40));
    assertThat(web().servers().get(1).active()).isEqualTo(new Rates.Active(30, 30));
    assertThat(sampler.read().active()).isEqualTo(new Rates.Active(35, 50));
  }

  /** Also when no look saw it gone, and though it still has flows, and with them its old counts. */
  @Test
  void shouldLetAServerThatWasRemovedAndAddedAgainBeginAnew() {
    start(0);
    count(1, 1000);
    active(1, 9);
    after(1000);
    change(new Declared("web", 2));
    change(new Declared("web", 1), new Declared("web", 2));
    count(1, 20);
    active(1, 3);
    after(1000);
    Rates.ServerRates anew = web().servers().get(0);
    assertRate(anew.rates().minute(), 20);
    assertRate(anew.rates().peak(), 20);
    assertThat(anew.active()).isEqualTo(new Rates.Active(3, 3));
    assertRate(web().rates().minute(), (1000 + 20) / 2.0);
  }

  @Test
  void shouldCountForItsServiceWhatAServerHadBeforeItWasRemoved() {
    start(0);
    after(1000);
    count(1, 300);
    count(2, 100);
    change(new Declared("web", 2));
    after(1000);
    assertRate(web().rates().second(), 400);
    after(1000);
    assertRate(web().rates().second(), 0);
    assertThat(web().servers()).hasSize(1);
  }

  @Test
  void shouldCountANewServerFromItsFirstFrameOn() {
    start(0);
    after(1000);
    change(new Declared("web", 1), new Declared("dns", 7));
    count(7, 90);
    after(1000);
    assertRate(sampler.read().byService().get(1).rates().second(), 90);
    assertRate(sampler.read().services().second(), 90);
  }

  @Test
  void shouldTellRatesOfInterfaces() {
    start(0);
    for (int second = 1; second <= 70; second++) {
      links[0] = links[0].plus(new LinkCounts(10, 1000, 0, 5, 300, 0));
      links[1] = links[1].plus(new LinkCounts(second, 0, 0, 0, 0, 0));
      after(1000);
    }
    Rates rates = sampler.read();
    assertThat(rates.byInterface().get(0).rates().minute()).isEqualTo(new Rates.LinkRate(10, 1000, 5, 300));
    assertThat(rates.byInterface().get(1).rates().second()).isEqualTo(new Rates.LinkRate(70, 0, 0, 0));
    assertThat(rates.interfaces().second()).isEqualTo(new Rates.LinkRate(80, 1000, 5, 300));
    assertThat(rates.interfaces().peak().received()).isEqualTo(80);
  }

  /** A port that takes every burst and refuses it at the flush; the look comes in between. */
  @Test
  void shouldTellNoNegativeRateOfFramesThatAreTakenBack() {
    start(0);
    links[0] = new LinkCounts(0, 0, 0, 132, 0, 0);
    after(1000);
    links[0] = new LinkCounts(0, 0, 0, 100, 0, 32);
    after(1000);
    assertThat(sampler.read().byInterface().get(0).rates().second().transmitted()).isZero();
    links[0] = new LinkCounts(0, 0, 0, 140, 0, 32);
    after(1000);
    assertThat(sampler.read().byInterface().get(0).rates().second().transmitted()).isEqualTo(8);
    assertThat(sampler.read().interfaces().tenSeconds().transmitted()).isEqualTo(140 / 3.0);
  }

  @Test
  void shouldNotOverflowAtAHundredGigabits() {
    start(0);
    for (int second = 1; second <= 100; second++) {
      links[0] = links[0].plus(new LinkCounts(0, 12_500_000_000L, 0, 0, 0, 0));
      after(1000);
    }
    Rates.Windows<Rates.LinkRate> rates = sampler.read().interfaces();
    assertThat(rates.minute().receivedBytes()).isEqualTo(12_500_000_000.0);
    assertThat(rates.peak().receivedBytes()).isEqualTo(12_500_000_000.0);
  }

  /** All series are one size, and go with their servers. */
  @Test
  void shouldForgetServersThatAreGone() {
    start(0);
    for (int round = 1; round <= 200; round++) {
      change(new Declared("s" + round, round));
      after(1000);
      assertThat(sampler.read().byService()).extracting(Rates.ServiceRates::name).containsExactly("s" + round);
    }
    assertThat(sampler.serversKnown()).isEqualTo(1);
  }
}
