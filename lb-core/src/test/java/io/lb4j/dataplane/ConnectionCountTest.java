package io.lb4j.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.service.ConnectionLimit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ConnectionCountTest {
  private static boolean begin(ConnectionCount count) {
    boolean taken = count.take();
    if (taken) {
      count.keep();
    }
    return taken;
  }

  @Test
  void shouldNotCloseForAFlowThatDoesNotBegin() {
    ConnectionCount count = new ConnectionCount(new ConnectionLimit(4, 1));
    for (int i = 0; i < 3; i++) {
      assertThat(begin(count)).isTrue();
    }
    assertThat(count.take()).isTrue();
    assertThat(count.take()).as("the last place is taken").isFalse();
    count.giveUp();
    assertThat(count.isClosed()).isFalse();
    assertThat(begin(count)).isTrue();
    assertThat(count.isClosed()).isTrue();
  }

  @Test
  void shouldCountAFlowThatBeginsWhileOthersEnd() {
    ConnectionCount count = new ConnectionCount(ConnectionLimit.of(2));
    assertThat(begin(count)).isTrue();
    assertThat(count.take()).isTrue();
    count.add(-1);
    count.keep();
    assertThat(count.count()).isEqualTo(1);
    assertThat(begin(count)).isTrue();
    assertThat(count.take()).isFalse();
  }

  @Test
  void shouldTakeANewLimitAtOnce() {
    ConnectionCount count = new ConnectionCount(ConnectionLimit.of(2));
    assertThat(begin(count)).isTrue();
    assertThat(begin(count)).isTrue();
    count.limit(ConnectionLimit.of(3));
    assertThat(begin(count)).isTrue();
    count.limit(new ConnectionLimit(2, 0));
    assertThat(count.isClosed()).isTrue();
    count.add(-2);
    assertThat(begin(count)).as("above the lower bound").isFalse();
    count.limit(new ConnectionLimit(2, 1));
    assertThat(begin(count)).isTrue();
    assertThat(count.count()).isEqualTo(2);
  }

  @Test
  void shouldRefuseBeyondTheLimitAndTakeTheNextOneAfterAnEnd() {
    ConnectionCount count = new ConnectionCount(ConnectionLimit.of(2));
    assertThat(begin(count)).isTrue();
    assertThat(begin(count)).isTrue();
    assertThat(count.isClosed()).isTrue();
    assertThat(begin(count)).isFalse();
    count.add(-1);
    assertThat(count.isClosed()).isFalse();
    assertThat(begin(count)).isTrue();
    assertThat(count.count()).isEqualTo(2);
  }

  @Test
  void shouldStayClosedUntilFewEnoughAreLeft() {
    ConnectionCount count = new ConnectionCount(new ConnectionLimit(4, 1));
    for (int i = 0; i < 4; i++) {
      assertThat(begin(count)).isTrue();
    }
    count.add(-1);
    count.add(-1);
    assertThat(count.count()).isEqualTo(2);
    assertThat(begin(count)).as("below the limit, above the lower bound").isFalse();
    count.add(-1);
    assertThat(begin(count)).isTrue();
    assertThat(begin(count)).isTrue();
  }

  @Test
  void shouldCountFlowsThatWereThereBeforeTheLimit() {
    ConnectionCount count = new ConnectionCount(ConnectionLimit.of(3));
    count.add(5);
    assertThat(begin(count)).isFalse();
    count.add(-2);
    assertThat(begin(count)).isFalse();
    count.add(-1);
    assertThat(begin(count)).isTrue();
    assertThat(count.count()).isEqualTo(3);
  }

  @Test
  void shouldCountHowOftenTheLimitWasReached() {
    ConnectionCount count = new ConnectionCount(new ConnectionLimit(2, 1));
    assertThat(count.read()).isEqualTo(new ConnectionCount.Reading(0, false, 0));
    begin(count);
    begin(count);
    assertThat(count.read()).isEqualTo(new ConnectionCount.Reading(2, true, 1));
    begin(count);
    count.add(1);
    assertThat(count.read()).as("closed already").isEqualTo(new ConnectionCount.Reading(3, true, 1));
    count.add(-2);
    assertThat(count.read()).isEqualTo(new ConnectionCount.Reading(1, false, 1));
    count.add(1);
    count.add(-1);
    assertThat(count.read()).as("closed and open again").isEqualTo(new ConnectionCount.Reading(1, false, 2));
    assertThat(count.take()).isTrue();
    assertThat(count.read()).as("a place is no connection").isEqualTo(new ConnectionCount.Reading(1, false, 2));
    count.keep();
    assertThat(count.read()).isEqualTo(new ConnectionCount.Reading(2, true, 3));
  }

  @Test
  void shouldGiveOutExactlyAsManyPlacesAsThereAre() throws Exception {
    int threads = 8;
    int limit = 10_000;
    ConnectionCount count = new ConnectionCount(ConnectionLimit.of(limit));
    CyclicBarrier start = new CyclicBarrier(threads);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Integer>> taken = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        taken.add(
            pool.submit(
                () -> {
                  start.await();
                  int own = 0;
                  for (int i = 0; i < 3 * limit / threads; i++) {
                    own += begin(count) ? 1 : 0;
                  }
                  return own;
                }));
      }
      int sum = 0;
      for (Future<Integer> one : taken) {
        sum += one.get();
      }
      assertThat(sum).isEqualTo(limit);
      assertThat(count.count()).isEqualTo(limit);
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void shouldNeverPassTheLimitWhileThreadsComeAndGo() throws Exception {
    int threads = 8;
    ConnectionCount count = new ConnectionCount(new ConnectionLimit(50, 20));
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Integer>> left = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        Random random = new Random(thread);
        left.add(
            pool.submit(
                () -> {
                  int own = 0;
                  for (int i = 0; i < 200_000; i++) {
                    if (own > 0 && random.nextInt(3) == 0) {
                      count.add(-1);
                      own--;
                    } else if (begin(count)) {
                      own++;
                    }
                    assertThat(count.count()).isBetween(own, 50);
                  }
                  return own;
                }));
      }
      int sum = 0;
      for (Future<Integer> one : left) {
        sum += one.get();
      }
      assertThat(count.count()).isEqualTo(sum);
    } finally {
      pool.shutdownNow();
    }
  }
}
