package io.lb4j.dsr;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.service.VirtualServiceBuilder;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Snapshots are swapped as fast as they can be made while frames flow: each burst sees one of them, whole (RC1). {@code
 * -Dlb4j.seconds=60} for a long run.
 */
@Timeout(180)
class SnapshotSwapTest {
  private static final long SECONDS = Long.getLong("lb4j.seconds", 2);
  private static final long SWAPS = 100 * SECONDS;
  private static final int HALF = FrameBatch.CAPACITY / 2;

  private static VirtualService service(boolean v6, String name, int port, int server) {
    VirtualServiceBuilder service =
        VirtualService.tcp(v6 ? "2001:db8:5::100" : "192.0.2.100", port)
            .named(name)
            .forwarding(DirectServerReturn.create());
    return service.realServer("s" + server, Lan.server(v6, server)).build();
  }

  /** Both services on one server, on the other one in the next snapshot: a mixture would show. */
  private static List<VirtualService> side(boolean v6, int server) {
    return List.of(service(v6, "web", 80, server), service(v6, "mail", 25, server));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldShowEachBurstOneSnapshot(boolean v6) throws InterruptedException {
    AtomicBoolean running = new AtomicBoolean(true);
    AtomicLong swaps = new AtomicLong();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    try (Lan lan = new Lan(v6, builder -> side(v6, 1).stream().reduce(builder, (b, s) -> b.service(s), (a, b) -> a))) {
      Thread operator =
          new Thread(
              () -> {
                try {
                  while (running.get()) {
                    lan.balancer.apply(lan.balancer.plan(side(v6, 1 + (int) (swaps.incrementAndGet() & 1))));
                  }
                } catch (RuntimeException | AssertionError e) {
                  failure.set(e);
                }
              });
      operator.start();
      long endNs = System.nanoTime() + SECONDS * 1_000_000_000L;
      // a busy machine needs longer for as many swaps
      long sides = burstsWhile(
          lan, () -> System.nanoTime() - endNs < 0 || failure.get() == null && swaps.get() <= SWAPS);
      running.set(false);
      operator.join();
      assertThat(failure.get()).isNull();
      assertThat(swaps.get()).as("swaps").isGreaterThan(SWAPS);
      assertThat(sides).as("bursts that saw another server than the one before").isGreaterThan(10);
    }
  }

  private static long burstsWhile(Lan lan, BooleanSupplier going) {
    FrameBatch batch = new FrameBatch();
    int port = 0;
    long changes = 0;
    String before = "";
    while (going.getAsBoolean()) {
      List<ByteBuf> frames = new ArrayList<>();
      for (int i = 0; i < FrameBatch.CAPACITY; i++) {
        FrameBuilder syn = lan.frame(1 + i).tcp(1024 + port, i < HALF ? 80 : 25, TcpHeader.SYN).numbers(1, 0);
        frames.add(syn.build());
      }
      port = (port + 1) % 60_000;
      String seen = serverOf(lan, batch, frames);
      changes += seen.equals(before) ? 0 : 1;
      before = seen;
      frames.forEach(ByteBuf::release);
    }
    return changes;
  }

  private static String serverOf(Lan lan, FrameBatch batch, List<ByteBuf> frames) {
    batch.clear();
    frames.forEach(frame -> batch.add(frame, 0, frame.readableBytes(), FrameMarks.NONE, 0));
    lan.nowNs += 10_000_000L;
    lan.path.process(batch, lan.nowNs, lan::transmit);
    TreeSet<String> servers = new TreeSet<>();
    for (int i = 0; i < batch.size(); i++) {
      FrameView view = batch.get(i);
      if (view.verdict() == Verdict.FORWARD) {
        servers.add(lan.path.serverName(view.binding()).orElseThrow().replaceFirst(".*/", ""));
      }
    }
    assertThat(servers).as("servers of one burst").hasSize(1);
    return servers.first();
  }
}
