package io.lb4j.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.monitor.Monitor;
import io.lb4j.monitor.Probe;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.service.ForwardingMethod;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Functions of the host on real threads, under a clock that the test turns. */
class ProbeThreadsTest {
  private static final ForwardingMethod METHOD = () -> "test";
  private static final long PATIENCE_SECONDS = 20;

  static Stream<ProbeThreads> kinds() {
    return Stream.concat(Stream.of(ProbeThreads.pool(4)), ProbeThreads.virtual().stream());
  }

  private static Monitor own(Probe probe) {
    return Monitor.own(probe).in(1).out(3).jitter(0).build();
  }

  private static VirtualServiceBuilder web(Probe probe, int servers) {
    VirtualServiceBuilder web =
        VirtualService.tcp("2001:db8::10", 80).named("web").forwarding(METHOD).monitor(own(probe));
    for (int n = 1; n <= servers; n++) {
      web.realServer("s" + n, "2001:db8::2:" + n);
    }
    return web;
  }

  /** One probe after the other, each to its end. */
  private static void probe(Ward ward, int times) throws InterruptedException {
    for (int n = 1; n <= times; n++) {
      ward.begin(n);
      awaitWakes(ward, n);
    }
  }

  /** Waits for a thread, not for time: a probe ends, and asks for a tick. */
  private static void awaitWakes(Ward ward, int wakes) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (ward.wakes.get() < wakes && System.nanoTime() - deadline < 0) {
      Thread.onSpinWait();
    }
    assertThat(ward.wakes.get()).isGreaterThanOrEqualTo(wakes);
    ward.tick();
  }

  @Test
  void shouldHaveVirtualThreadsWhereTheJdkHasThem() {
    Optional<ProbeThreads> virtual = ProbeThreads.virtual();
    assertThat(virtual.isPresent()).isEqualTo(Runtime.version().feature() >= 21);
    virtual.ifPresent(ProbeThreads::end);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void shouldRunProbesOnThreadsOfTheirOwn(ProbeThreads threads) throws Exception {
    Ward ward = new Ward(threads, 7);
    Set<String> names = ConcurrentHashMap.newKeySet();
    ward.declare(
        web(
                target -> {
                  names.add(Thread.currentThread().getName());
                  assertThat(target.address()).hasToString("2001:db8::2:1");
                  assertThat(target.port()).isEqualTo(80);
                  assertThat(target.timeout()).isEqualTo(Duration.ofSeconds(2));
                  return ProbeResult.answered(5);
                },
                1)
            .build());
    ward.begin(1);
    awaitWakes(ward, 1);
    assertThat(ward.takeTold()).containsExactly("web 2001:db8::2:1 UP answered");
    assertThat(names).singleElement().asString().startsWith("lb4j-probe-");
    assertThat(ward.engine.end()).isTrue();
    assertThat(threads.hasEnded()).isTrue();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void shouldMakeAFailureOfWhatAFunctionThrowsOrOmits(ProbeThreads threads) throws Exception {
    Ward ward = new Ward(threads, 7);
    AtomicInteger calls = new AtomicInteger();
    Probe failing =
        target -> {
          switch (calls.incrementAndGet()) {
            case 1 -> throw new java.io.IOException("no database");
            case 2 -> throw new StackOverflowError();
            case 3 -> {
              return null;
            }
            default -> {
              return ProbeResult.failed(ProbeReason.WRONG_ANSWER, "read-only");
            }
          }
        };
    ward.declare(web(failing, 1).build());
    probe(ward, 3);
    assertThat(ward.takeTold()).containsExactly("web 2001:db8::2:1 DOWN failed, own: the function answered nothing");
    ward.engine.end();
  }

  /** As of an exception without a message: no reason to lose the monitor. */
  @ParameterizedTest
  @MethodSource("kinds")
  void shouldTakeAResultWithoutWordsAndGoOnProbing(ProbeThreads threads) throws Exception {
    Ward ward = new Ward(threads, 7);
    AtomicInteger calls = new AtomicInteger();
    Probe wordless =
        target -> {
          String message = new java.util.concurrent.TimeoutException().getMessage();
          return switch (calls.incrementAndGet()) {
            case 1, 2 -> ProbeResult.failed(ProbeReason.FAILED, message);
            case 3 -> ProbeResult.failed(null, "no reason");
            case 4 -> ProbeResult.answered(1);
            default -> ProbeResult.failed(ProbeReason.FAILED, message);
          };
        };
    ward.declare(web(wordless, 1).build());
    probe(ward, 7);
    assertThat(ward.takeTold())
        .containsExactly(
            "web 2001:db8::2:1 DOWN failed, own: java.lang.NullPointerException: a probe's result has a reason",
            "web 2001:db8::2:1 UP answered",
            "web 2001:db8::2:1 DOWN failed, own");
    ward.engine.end();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void shouldKeepAServersHealthWhileProbesCannotBeMade(ProbeThreads threads) throws Exception {
    Ward ward = new Ward(threads, 7);
    AtomicInteger calls = new AtomicInteger();
    Probe poor =
        target ->
            switch (calls.incrementAndGet()) {
              case 1, 9 -> throw new java.io.IOException("first and last");
              case 2, 4, 6 -> throw new NotMadeException("Too many open files");
              case 3, 5, 7 -> throw new OutOfMemoryError("Java heap space");
              default -> ProbeResult.failed(ProbeReason.FAILED, "it counts on");
            };
    ward.declare(web(poor, 1).build());
    probe(ward, 8);
    assertThat(ward.takeTold()).as("two failures, and six probes that said nothing").isEmpty();
    ward.begin(9);
    awaitWakes(ward, 9);
    assertThat(ward.takeTold())
        .containsExactly("web 2001:db8::2:1 DOWN failed, own: java.io.IOException: first and last");
    ward.engine.end();
  }

  /** As virtual threads do whose carriers are held by functions that do not let go of them. */
  @Test
  void shouldNotBlameAServerThatNoThreadHasAskedYet() throws Exception {
    ProbeThreads threads = new ProbeThreads(Executors.newFixedThreadPool(1));
    Ward ward = new Ward(threads, 7);
    CountDownLatch inside = new CountDownLatch(1);
    Semaphore mayEnd = new Semaphore(0);
    Probe probe =
        target -> {
          if (target.server().equals("s1")) {
            inside.countDown();
            mayEnd.acquireUninterruptibly();
          }
          return ProbeResult.answered(1);
        };
    VirtualServiceBuilder web = web(probe, 1);
    ward.declare(web.build());
    ward.begin(1);
    assertThat(inside.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    ward.declare(web.realServer("s2", "2001:db8::2:2").build());
    ward.pass(60_000);
    assertThat(ward.takeTold())
        .containsExactly("web 2001:db8::2:1 DOWN timed-out, own: the probe before has not ended yet");
    assertThat(ward.engine.begun()).as("and no second one waits behind the first").isEqualTo(2);
    assertThat(ward.engine.postponed()).isPositive();
    mayEnd.release(1000);
    awaitWakes(ward, 2);
    for (int n = 3; n <= 4; n++) { // one after the other: the clock runs on with each
      ward.begin(n);
      awaitWakes(ward, n);
    }
    assertThat(ward.takeTold())
        .containsExactlyInAnyOrder("web 2001:db8::2:1 UP answered", "web 2001:db8::2:2 UP answered");
    ward.engine.end();
  }

  /** A function that neither ends nor listens: one thread and no more is lost to it, and the server is down. */
  @ParameterizedTest
  @MethodSource("kinds")
  void shouldAbandonAProbeThatOutlivesItsTimeAndIgnoreItsAnswer(ProbeThreads threads) throws Exception {
    Ward ward = new Ward(threads, 7);
    AtomicInteger calls = new AtomicInteger();
    AtomicInteger interrupts = new AtomicInteger();
    Semaphore mayEnd = new Semaphore(0);
    CountDownLatch inside = new CountDownLatch(1);
    Probe stuck =
        target -> {
          calls.incrementAndGet();
          inside.countDown();
          while (true) {
            try {
              mayEnd.acquire();
              return ProbeResult.answered(1);
            } catch (InterruptedException e) {
              interrupts.incrementAndGet();
            }
          }
        };
    ward.declare(web(stuck, 1).build());
    ward.begin(1);
    assertThat(inside.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    ward.pass(15_000);
    assertThat(calls).as("never two in flight").hasValue(1);
    assertThat(ward.takeTold())
        .containsExactly("web 2001:db8::2:1 DOWN timed-out, own: the probe before has not ended yet");
    int wakes = ward.wakes.get();
    mayEnd.release();
    awaitWakes(ward, wakes + 1);
    assertThat(ward.takeTold()).as("that answer comes too late").isEmpty();
    assertThat(interrupts).as("it was told").hasPositiveValue();
    mayEnd.release();
    wakes = ward.wakes.get();
    ward.begin(2);
    awaitWakes(ward, wakes + 1);
    assertThat(ward.takeTold()).containsExactly("web 2001:db8::2:1 UP answered");
    ward.engine.end();
  }

  @Test
  void shouldBoundThePoolAndLetProbesWaitForAThread() throws Exception {
    ProbeThreads threads = ProbeThreads.pool(3);
    Ward ward = new Ward(threads, 7);
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch three = new CountDownLatch(3);
    CountDownLatch mayEnd = new CountDownLatch(1);
    Probe slow =
        target -> {
          calls.incrementAndGet();
          three.countDown();
          mayEnd.await();
          return ProbeResult.answered(1);
        };
    ward.declare(web(slow, 20).build());
    ward.begin(3);
    assertThat(three.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    ward.nowNs += 1_000_000_000L;
    ward.tick();
    assertThat(ward.engine.postponed()).as("others are due").isPositive();
    assertThat(calls).hasValue(3);
    mayEnd.countDown();
    awaitWakes(ward, 3);
    assertThat(ward.takeTold()).as("nobody is down for want of a thread").hasSize(3).allMatch(t -> t.contains(" UP "));
    ward.begin(4);
    awaitWakes(ward, 4);
    assertThat(ward.takeTold()).as("and who waited has his turn").isNotEmpty().allMatch(t -> t.contains(" UP "));
    ward.engine.end();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void shouldLeaveNoThreadBehind(ProbeThreads threads) throws Exception {
    Ward ward = new Ward(threads, 7);
    CountDownLatch inside = new CountDownLatch(4);
    Probe waiting =
        target -> {
          inside.countDown();
          new CountDownLatch(1).await();
          return ProbeResult.answered(1);
        };
    ward.declare(web(waiting, 4).build());
    ward.nowNs += 5_000_000_000L;
    ward.tick();
    assertThat(inside.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(ward.engine.end()).isTrue();
    assertThat(threads.hasEnded()).isTrue();
    List<Thread> last =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("lb4j-probe-"))
            .toList();
    for (Thread thread : last) {
      thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS)); // its pool has ended, and it a moment later
    }
    assertThat(last).noneMatch(Thread::isAlive);
    assertThat(ward.engine.tick(ward.nowNs)).as("it probes no more").isGreaterThan(ward.nowNs);
  }
}
