package io.lb4j.gateway.nat;

import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.FlowHash;
import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTableOverflow;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.forward.SessionAccounting;
import io.lb4j.wire.IpProtocol;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole round of the sweep sees every session, whatever ends meanwhile: entries move when others go. */
class SweepTest {
  private static final int RUNS = 200;
  private static final int CAPACITY = 256;
  private static final int SESSIONS = 250;
  private static final int STAYS = 8;
  private static final int GOES = 7;
  private static final Duration LONG = Duration.ofHours(4);

  /** Two servers, of which one goes. */
  private static final class Servers implements SessionAccounting {
    private boolean gone;

    @Override
    public int timeoutTicks(int binding, FlowState state) {
      return gone && binding == GOES ? -1 : 50_000;
    }

    @Override
    public void onBegin(int binding) {}

    @Override
    public void onActiveChange(int binding, int change) {}

    @Override
    public void onEnd(int binding, boolean active, boolean v6, long high, long low, int port, boolean replaced) {}

    @Override
    public void onAlive(int binding, boolean v6, long high, long low, int port) {}
  }

  /** Sessions here have neither mappings nor notes. */
  private static final class Nobody implements Sessions.Listener {
    @Override
    public void onEnd(Tuple first, Tuple became, long word) {}

    @Override
    public void onExpire(int handle) {}

    @Override
    public void onAlive(int handle) {}
  }

  private final Servers servers = new Servers();
  private final List<Tuple> goes = new ArrayList<>();
  private final List<Tuple> stays = new ArrayList<>();
  private Sessions sessions;
  private long nowNs;

  private static Tuple tuple(boolean v6, long source, long destination, int ports) {
    Tuple tuple = new Tuple();
    tuple.v6 = v6;
    tuple.protocol = IpProtocol.UDP;
    tuple.sourceHigh = v6 ? 0x2001_0DB8_000F_0000L : 0;
    tuple.sourceLow = source;
    tuple.destinationHigh = v6 ? 0x2001_0DB8_000C_0000L : 0;
    tuple.destinationLow = destination;
    tuple.ports = ports;
    return tuple;
  }

  private void fill(boolean v6, int seed) {
    FlowTimeouts timeouts = new FlowTimeouts(LONG, LONG, LONG, LONG, LONG);
    FlowHash hash = new FlowHash(seed);
    sessions =
        new Sessions(
            hash, CAPACITY, 0, FlowTableOverflow.EVICT_EMBRYONIC, servers, new Nobody(), timeouts, LONG, 0);
    sessions.enableV6(0);
    sessions.at(0);
    servers.gone = false;
    nowNs = 0;
    goes.clear();
    stays.clear();
    for (int n = 0; n < SESSIONS; n++) {
      boolean leaves = n % 2 == 0;
      Tuple client = tuple(v6, 0xC633_6400L + n, 0xCB00_7101L, Tuple.ports(1000 + n, 80));
      Tuple server = tuple(v6, 0xC633_6400L + n, 0xC000_0201L, Tuple.ports(1000 + n, 8080));
      int code = SessionTable.code(IpProtocol.UDP);
      long word = Word.of(Word.SESSION, code, SessionState.UDP, 0, leaves ? GOES : STAYS);
      sessions.open(client, server, word, word | Word.REPLY);
      (leaves ? goes : stays).add(client);
    }
  }

  /** Sweeps a whole round, one entry at a time; answers how many sessions were ended by hand meanwhile. */
  private int sweepARoundWhileOthersEnd(Random random) {
    int ended = 0;
    long round = sessions.rounds();
    while (sessions.rounds() == round) {
      nowNs += 1_000_000;
      sessions.sweep(nowNs, 1);
      if (ended < stays.size() && random.nextInt(4) == 0) {
        sessions.end(sessions.lookup(stays.get(ended++)), random.nextBoolean());
      }
    }
    return ended;
  }

  @ParameterizedTest(name = "IPv6 {0}")
  @ValueSource(booleans = {false, true})
  void shouldSeeEverySessionInARoundWhateverEndsMeanwhile(boolean v6) {
    for (int seed = 0; seed < RUNS; seed++) {
      Random random = new Random(seed);
      fill(v6, seed);
      servers.gone = true;
      Collections.shuffle(stays, random);
      int ended = sweepARoundWhileOthersEnd(random);
      assertThat(goes)
          .as("of the server that went, seed %s", seed)
          .allMatch(session -> sessions.lookup(session) == Sessions.MISS);
      assertThat(stays.subList(ended, stays.size()))
          .as("of the server that stays, seed %s", seed)
          .allMatch(session -> sessions.lookup(session) != Sessions.MISS);
      assertThat(sessions.size()).isEqualTo(stays.size() - ended);
    }
  }
}
