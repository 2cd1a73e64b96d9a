package io.lb4j.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.event.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What fails in one task, an Error too, costs its turn: the thread goes on, and so do the other tasks. */
@Timeout(30)
class ControlLoopTest {
  private final ControlLoop loop = new ControlLoop(System::nanoTime);

  @Test
  void shouldGoOnWithTheOthersWhenATaskFails() throws InterruptedException {
    CountDownLatch turns = new CountDownLatch(3);
    loop.add(nowNs -> {
      throw new NoClassDefFoundError("of a task");
    });
    loop.add(nowNs -> {
      turns.countDown();
      return nowNs;
    });
    loop.start();
    try {
      assertThat(turns.await(10, TimeUnit.SECONDS)).isTrue();
    } finally {
      loop.stop();
    }
  }

  @Test
  void shouldTellTheOtherListenersWhenOneFails() {
    Event event = new Event.ServerUp("web", "rs1", "answered");
    List<Event> heard = new ArrayList<>();
    EventHub hub =
        new EventHub(
            List.of(
                told -> {
                  throw new NoClassDefFoundError("of a listener");
                },
                heard::add),
            System::nanoTime,
            () -> {});
    hub.onEvent(event);
    hub.tick(0);
    assertThat(heard).containsExactly(event);
  }
}
