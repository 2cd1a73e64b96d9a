package io.lb4j.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
  private final MemoryBudget budget = new MemoryBudget(100);

  @Test
  void shouldGiveAllOfItAndNotAByteMore() {
    budget.take(60);
    budget.take(40);
    assertThatThrownBy(() -> budget.take(1)).isInstanceOf(OutOfMemoryError.class).hasMessageContaining("100");
    budget.giveBack(40);
    assertThatThrownBy(() -> budget.take(41)).isInstanceOf(OutOfMemoryError.class);
    assertThatCode(() -> budget.take(40)).doesNotThrowAnyException();
    assertThatThrownBy(() -> budget.take(Long.MAX_VALUE)).isInstanceOf(OutOfMemoryError.class);
  }

  /** The collector's thread gives back what is garbage; it cannot before the other waits, as it needs the monitor. */
  @Test
  void shouldWaitForWhatIsGarbage() throws InterruptedException {
    budget.take(90);
    Thread collector = new Thread(() -> {
          for (int i = 0; i < 9; i++) {
            budget.giveBack(10);
          }
        });
    synchronized (budget) {
      collector.start();
      budget.take(100);
    }
    collector.join();
    assertThatThrownBy(() -> budget.take(1)).isInstanceOf(OutOfMemoryError.class);
  }

  @Test
  void shouldRefuseAtOnceWhenInterrupted() {
    budget.take(100);
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> budget.take(1)).isInstanceOf(OutOfMemoryError.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void shouldKnowWhatTheJvmAllows() {
    assertThat(MemoryBudget.ofTheJvm()).isEqualTo(Runtime.getRuntime().maxMemory());
  }
}
