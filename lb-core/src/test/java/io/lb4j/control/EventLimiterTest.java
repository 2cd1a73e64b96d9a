package io.lb4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.event.Event;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventLimiterTest {
  private static final long MS = 1_000_000L;

  private final List<String> told = new ArrayList<>();
  private final EventLimiter limiter =
      new EventLimiter((event, suppressed) -> told.add(event.text().replaceAll(".* is ", "") + " " + suppressed));

  private static Event up(String server) {
    return new Event.ServerUp("web", server, "answered");
  }

  private static Event down(String server, int number) {
    return new Event.ServerDown("web", server, "refused", "no " + number);
  }

  private static String wasDown(int number, long suppressed) {
    return "down: refused, no " + number + " " + suppressed;
  }

  private List<String> taken() {
    List<String> taken = List.copyOf(told);
    told.clear();
    return taken;
  }

  @ParameterizedTest
  @ValueSource(longs = {0, Long.MAX_VALUE - 500 * MS, Long.MIN_VALUE})
  void shouldTellAFewAtOnceAndThenTheLastOfEachSecond(long startNs) {
    for (int i = 0; i < 20; i++) {
      limiter.offer(down("rs1", i), startNs + i * MS);
    }
    assertThat(taken()).containsExactly(wasDown(0, 0), wasDown(1, 0), wasDown(2, 0), wasDown(3, 0), wasDown(4, 0));
    assertThat(limiter.tick(startNs + 20 * MS)).as("the next turn").isEqualTo(startNs + 1000 * MS);
    assertThat(taken()).isEmpty();
    limiter.tick(startNs + 1000 * MS);
    assertThat(taken()).containsExactly(wasDown(19, 14));
    assertThat(limiter.suppressed()).isEqualTo(14);
    limiter.tick(startNs + 2000 * MS);
    assertThat(taken()).as("nothing is told twice").isEmpty();
  }

  @Test
  void shouldTellLastHowThingsStandWhenAServerFlaps() {
    for (int i = 0; i < 50; i++) {
      limiter.offer(down("rs1", i), i * 10 * MS);
      limiter.offer(up("rs1"), (i * 10 + 5) * MS);
    }
    limiter.tick(500 * MS);
    assertThat(taken()).hasSize(5).last().isEqualTo(wasDown(2, 0));
    limiter.tick(1000 * MS);
    assertThat(taken()).containsExactly("up: answered 94");
  }

  @Test
  void shouldNotMindHowLateTheTickIs() {
    EventLimiter prompt = new EventLimiter((event, suppressed) -> told.add(event.text() + suppressed));
    for (int ms = 0; ms < 20_000; ms += 50) {
      prompt.tick(ms * MS);
      prompt.offer(down("rs1", ms), ms * MS);
    }
    prompt.tick(20_000 * MS);
    List<String> expected = taken();
    EventLimiter late = new EventLimiter((event, suppressed) -> told.add(event.text() + suppressed));
    for (int ms = 0; ms < 20_000; ms += 50) {
      late.offer(down("rs1", ms), ms * MS);
    }
    late.tick(20_000 * MS);
    assertThat(taken()).isEqualTo(expected).hasSize(25);
    assertThat(late.suppressed()).isEqualTo(prompt.suppressed()).isEqualTo(400 - 25);
  }

  @Test
  void shouldLimitEachSubjectOnItsOwn() {
    for (int i = 0; i < 10; i++) {
      limiter.offer(up("rs1"), 0);
    }
    taken();
    limiter.offer(up("rs2"), 0);
    limiter.offer(new Event.MassFailure("web", 2, 4, true), 0);
    assertThat(taken()).hasSize(2);
  }

  @Test
  void shouldFillTheBucketAgainInTime() {
    for (int i = 0; i < 5; i++) {
      limiter.offer(up("rs1"), 0);
    }
    limiter.offer(up("rs1"), 3500 * MS);
    limiter.offer(up("rs1"), 3500 * MS);
    limiter.offer(up("rs1"), 3500 * MS);
    assertThat(taken()).as("three seconds, three more").hasSize(8);
    limiter.offer(up("rs1"), 3500 * MS);
    assertThat(taken()).isEmpty();
    limiter.tick(4000 * MS);
    assertThat(taken()).containsExactly("up: answered 0");
  }

  @Test
  void shouldRememberSoManySubjectsAndForgetNoStateOfTheOthers() {
    for (int i = 0; i < 7; i++) {
      limiter.offer(down("first", i), 0);
    }
    taken();
    for (int i = 0; i < EventLimiter.MAX_SUBJECTS; i++) {
      limiter.offer(up("rs" + i), 0);
    }
    assertThat(limiter.subjects()).isEqualTo(EventLimiter.MAX_SUBJECTS);
    assertThat(taken()).hasSize(EventLimiter.MAX_SUBJECTS + 1).contains(wasDown(6, 1));
    limiter.tick(10_000 * MS);
    assertThat(taken()).isEmpty();
  }
}
