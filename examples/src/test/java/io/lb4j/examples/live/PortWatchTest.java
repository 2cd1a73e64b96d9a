package io.lb4j.examples.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.address.MacAddress;
import io.lb4j.port.Port;
import io.lb4j.port.PortCounters;
import io.lb4j.port.PortQueue;
import io.lb4j.port.PortStatus;
import io.lb4j.port.PortTraits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is told of interfaces that go down, away and come back, and of frames that the kernel dropped. */
class PortWatchTest {
  private final ChangingPort port = new ChangingPort();
  private final PortWatch watch = new PortWatch(List.of(port));
  private final List<String> told = new ArrayList<>();

  /** An interface that does as it is told. */
  private static final class ChangingPort implements Port {
    private PortStatus status = PortStatus.UP;
    private long missed;

    @Override
    public String name() {
      return "eth0";
    }

    @Override
    public PortTraits traits() {
      throw new UnsupportedOperationException();
    }

    @Override
    public int queues() {
      return 1;
    }

    @Override
    public PortQueue queue(int index) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void join(MacAddress address) {}

    @Override
    public PortStatus status() {
      return status;
    }

    @Override
    public PortCounters counters() {
      return new PortCounters(100, 6400, missed, 0, 0, 0);
    }

    @Override
    public void close() {}
  }

  private List<String> look(long nowNs) {
    told.clear();
    watch.look(nowNs, told::add);
    return told;
  }

  @Test
  void shouldTellEachChangeOfAnInterfaceOnce() {
    assertThat(look(0)).isEmpty();
    port.status = PortStatus.DOWN;
    assertThat(look(1)).singleElement().asString().contains("eth0 is down", "ip link set eth0 up");
    assertThat(look(2)).isEmpty();
    port.status = PortStatus.UP;
    assertThat(look(3)).containsExactly("eth0 is up again");
    port.status = PortStatus.GONE;
    assertThat(look(4)).singleElement().asString().contains("eth0 was removed", "until an interface of that name is there");
    assertThat(look(5)).isEmpty();
    assertThat(watch.tree()).containsExactly(Map.of("name", "eth0", "status", "gone", "missed", 0L));
  }

  @Test
  void shouldTellWhatTheKernelDroppedAtOnceAndThenOnceAMinute() {
    long nowNs = Long.MAX_VALUE - 5; // the clock may pass its end
    port.missed = 3;
    assertThat(look(nowNs)).singleElement().asString().contains("eth0: 3 frames were dropped by the kernel", "3 in all");
    port.missed = 10;
    assertThat(look(nowNs + PortWatch.REMIND_NS - 1)).isEmpty();
    assertThat(look(nowNs + PortWatch.REMIND_NS)).singleElement().asString().contains("7 frames", "10 in all");
    assertThat(look(nowNs + 3 * PortWatch.REMIND_NS)).as("no more were").isEmpty();
    assertThat(watch.missed()).isEqualTo(10);
  }
}
