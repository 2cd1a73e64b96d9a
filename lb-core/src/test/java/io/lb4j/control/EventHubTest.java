package io.lb4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class EventHubTest {
  private final List<Event> heard = new ArrayList<>();
  private final AtomicInteger woken = new AtomicInteger();
  private long nowNs;
  private final EventHub hub = new EventHub(List.of(heard::add), () -> nowNs, woken::incrementAndGet);

  private static Event up(int server) {
    return new Event.ServerUp("web", "rs" + server, "answered");
  }

  @Test
  void shouldTellInOrderWithTheNextTickAndNotBefore() {
    hub.onEvent(up(1));
    hub.onEvent(up(2));
    assertThat(heard).isEmpty();
    assertThat(woken).hasValue(2);
    hub.tick(nowNs);
    assertThat(heard).containsExactly(up(1), up(2));
    assertThat(hub.counts()).isEqualTo(new EventHub.Counts(2, 0, 0));
  }

  @Test
  void shouldCountWhatFindsNoRoomAndGoOn() {
    for (int i = 0; i < EventHub.CAPACITY + 10; i++) {
      hub.onEvent(up(i));
    }
    hub.tick(nowNs);
    assertThat(heard).hasSize(EventHub.CAPACITY);
    hub.onEvent(up(5000));
    hub.tick(nowNs);
    assertThat(heard).endsWith(up(5000));
    assertThat(hub.counts()).isEqualTo(new EventHub.Counts(EventHub.CAPACITY + 1, 0, 10));
  }

  @Test
  void shouldGoOnWithTheOthersWhenAListenerFails() {
    List<Event> others = new ArrayList<>();
    hub.add(event -> {
      throw new IllegalStateException("a listener that fails");
    });
    hub.add(others::add);
    hub.onEvent(up(1));
    hub.onEvent(up(2));
    hub.tick(nowNs);
    assertThat(others).containsExactly(up(1), up(2)).isEqualTo(heard);
  }

  @Test
  void shouldLetListenersComeAndGo() {
    List<Event> others = new ArrayList<>();
    EventListener listener = others::add;
    hub.add(listener);
    hub.onEvent(up(1));
    hub.tick(nowNs);
    hub.remove(listener);
    hub.onEvent(up(2));
    hub.tick(nowNs);
    assertThat(others).containsExactly(up(1));
    assertThat(heard).containsExactly(up(1), up(2));
  }

  @Test
  void shouldSayHowManyWereLeftOut() {
    List<Long> leftOut = new ArrayList<>();
    hub.add(
        new EventListener() {
          @Override
          public void onEvent(Event event) {
            throw new AssertionError("the other one is called");
          }

          @Override
          public void onEvent(Event event, long suppressed) {
            leftOut.add(suppressed);
          }
        });
    for (int i = 0; i < 12; i++) {
      hub.onEvent(up(1));
    }
    assertThat(hub.tick(nowNs)).as("when the last one has its turn").isEqualTo(1_000_000_000L);
    nowNs = 1_000_000_000L;
    hub.tick(nowNs);
    assertThat(leftOut).containsExactly(0L, 0L, 0L, 0L, 0L, 6L);
    assertThat(hub.counts()).isEqualTo(new EventHub.Counts(6, 6, 0));
  }

  @Test
  void shouldNotLetWorkersWaitForAListener() throws InterruptedException {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    hub.add(event -> {
      entered.countDown();
      await(goOn);
    });
    hub.onEvent(up(0));
    Thread control = new Thread(() -> hub.tick(nowNs));
    control.start();
    entered.await();
    for (int i = 1; i <= 3 * EventHub.CAPACITY; i++) {
      hub.onEvent(up(i)); // returns although the listener does not
    }
    assertThat(hub.counts().lost()).isEqualTo(2 * EventHub.CAPACITY);
    goOn.countDown();
    control.join();
    hub.tick(nowNs);
    assertThat(heard).hasSize(EventHub.CAPACITY + 1);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void shouldLetAListenerRaiseEvents() {
    hub.add(event -> {
      if (event.equals(up(1))) {
        hub.onEvent(up(2));
      }
    });
    hub.onEvent(up(1));
    hub.tick(nowNs);
    hub.tick(nowNs);
    assertThat(heard).containsExactly(up(1), up(2));
  }
}
