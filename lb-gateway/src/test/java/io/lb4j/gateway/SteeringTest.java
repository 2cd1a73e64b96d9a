package io.lb4j.gateway;

import static io.lb4j.gateway.Workers.SEED;
import static io.lb4j.gateway.Workers.view;
import static org.assertj.core.api.Assertions.assertThat;

import io.lb4j.flow.FlowRecord;
import io.lb4j.forward.Steering;
import io.lb4j.forward.Translator;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.service.VirtualService;
import io.lb4j.testkit.FrameBuilder;
import io.lb4j.wire.TcpHeader;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both directions of a flow, and all fragments of a datagram, belong to one worker. */
class SteeringTest {
  private static final int WORKERS = 4;

  private static Outbound rules(boolean v6) {
    return Outbound.builder().nat(Network.prefix(v6), Network.external(v6, 1), Network.external(v6, 2)).build();
  }

  @Requirement("N42")
  @EveryTransport
  void shouldBringBothDirectionsOfAServicesFlowToOneWorker(boolean v6, boolean tcp) {
    VirtualService service = (tcp ? Network.web(v6, 2) : Network.dns(v6, 2)).build();
    Steering steering = rules(v6).steering(SEED, WORKERS, List.of(service));
    Set<Integer> used = new HashSet<>();
    for (int client = 1; client <= 200; client++) {
      for (int server = 1; server <= 2; server++) {
        FrameBuilder request = FrameBuilder.from(Network.peer(v6, client), Network.vip(v6));
        FrameBuilder reply = FrameBuilder.from(Network.inside(v6, server), Network.peer(v6, client));
        int worker =
            steering.workerOf(view(Network.transport(request, tcp, 3000, tcp ? 80 : 53, 2).build(), Network.OUTSIDE));
        int back =
            steering.workerOf(view(Network.transport(reply, tcp, tcp ? 8080 : 5353, 3000, 2).build(), Network.INSIDE));
        assertThat(back).isEqualTo(worker).isBetween(0, WORKERS - 1);
        used.add(worker);
      }
    }
    assertThat(used).hasSize(WORKERS);
  }

  @Requirement("N42")
  @Requirement("N3")
  @ParameterizedTest
  @CsvSource({"false,6", "false,17", "false,1", "true,6", "true,17", "true,58"})
  void shouldBringAnAnswerToTheWorkerThatMappedTheQuestion(boolean v6, int protocol) {
    Outbound rules = rules(v6);
    Steering steering = rules.steering(SEED, WORKERS, List.of());
    List<Translator> workers = new ArrayList<>();
    for (int index = 0; index < WORKERS; index++) {
      workers.add(Workers.worker(rules, index, WORKERS, 4_096));
    }
    Set<String> external = new HashSet<>();
    Set<Integer> used = new HashSet<>();
    for (int n = 0; n < 1000; n++) {
      int port = 3000 + n / 100 * 37;
      FrameBuilder question =
          FrameBuilder.from(Network.inside(v6, 1 + n % 100), Network.peer(v6, 1 + n % 7))
              .macs(Network.INSIDE_MAC, Network.mac(1 + n % 100));
      question =
          protocol == Packet.TCP || protocol == Packet.UDP
              ? Network.transport(question, protocol == Packet.TCP, port, 80, TcpHeader.SYN)
              : Frames.echo(question, v6, port);
      ByteBuf frame = question.build();
      FrameView view = view(frame, Network.INSIDE);
      int worker = steering.workerOf(view);
      assertThat(workers.get(worker).onUnserved(view)).isEqualTo(Verdict.FORWARD);

      Packet left = Packet.of(frame);
      boolean query = protocol == Packet.ICMP || protocol == Packet.ICMPV6;
      int mapped = query ? left.icmpIdentifier() : left.sourcePort();
      assertThat(external.add(left.source() + " " + mapped)).as("no worker gives what another gave").isTrue();
      FrameBuilder answer = FrameBuilder.from(left.destination(), left.source());
      answer =
          query
              ? Frames.echoReply(answer, v6, mapped)
              : Network.transport(answer, protocol == Packet.TCP, 80, mapped, TcpHeader.SYN | TcpHeader.ACK);
      assertThat(steering.workerOf(view(answer.build(), Network.OUTSIDE))).isEqualTo(worker);
      used.add(worker);
    }
    if (protocol == Packet.TCP || protocol == Packet.UDP) {
      assertThat(used).as("the work is shared").hasSize(WORKERS);
    }
  }

  private static List<FlowRecord> list(Translator worker) {
    List<FlowRecord> records = new ArrayList<>();
    for (int cursor = 0; cursor >= 0; ) {
      cursor = worker.list(cursor, 100_000, records::add);
    }
    return records;
  }

  /** Offered to all workers, as control does that knows nothing of steering. */
  @ParameterizedTest(name = "IPv6 {0}, protocol {1}, routed {2}")
  @CsvSource({
    "false,6,false", "false,17,false", "false,1,false", "true,6,false", "true,17,false", "true,58,false",
    "false,6,true", "false,17,true", "false,1,true", "true,6,true", "true,17,true", "true,58,true"
  })
  void shouldTakeASavedSessionOverByTheWorkerThatGetsItsPackets(boolean v6, int protocol, boolean routed) {
    Outbound rules = routed ? Outbound.builder().route(Network.prefix(v6)).build() : rules(v6);
    Steering steering = rules.steering(SEED, WORKERS, List.of());
    boolean query = protocol == Packet.ICMP || protocol == Packet.ICMPV6;
    for (int index = 0; index < WORKERS; index++) {
      Translator worker = Workers.worker(rules, index, WORKERS, 4_096);
      for (int n = 0; n < 200; n++) {
        FrameBuilder question =
            FrameBuilder.from(Network.inside(v6, 1 + n % 100), Network.peer(v6, 1 + n % 61))
                .macs(Network.INSIDE_MAC, Network.mac(1 + n % 100));
        int port = 3000 + n / 100;
        FrameView view =
            view(
                (query
                        ? Frames.echo(question, v6, port)
                        : Network.transport(question, protocol == Packet.TCP, port, 80, TcpHeader.SYN))
                    .build(),
                Network.INSIDE);
        if (steering.workerOf(view) == index) {
          assertThat(worker.onUnserved(view)).isEqualTo(Verdict.FORWARD);
        }
      }
      List<FlowRecord> records = list(worker);
      assertThat(records).isNotEmpty();
      for (int other = 0; other < WORKERS; other++) {
        boolean same = other == index;
        Translator fresh = Workers.worker(rules, other, WORKERS, 4_096);
        assertThat(records).allMatch(record -> fresh.restore(record) == same);
        assertThat(fresh.sessions()).isEqualTo(same ? records.size() : 0);
      }
    }
  }

  @Requirement("N42")
  @BothFamilies
  void shouldBringAllFragmentsOfADatagramToOneWorkerAndNameTheOwner(boolean v6) {
    VirtualService service = Network.dns(v6, 2).build();
    Steering steering = rules(v6).steering(SEED, WORKERS, List.of(service));
    for (int client = 1; client <= 50; client++) {
      FrameBuilder whole = FrameBuilder.from(Network.peer(v6, client), Network.vip(v6)).udp(3000, 53);
      int owner = steering.workerOf(view(whole.payload(new byte[2400]).build(), Network.OUTSIDE));
      List<ByteBuf> fragments = Frames.fragments(whole.build(), 7, 1000);
      int first = steering.workerOf(view(fragments.get(0), Network.OUTSIDE));
      assertThat(steering.workerOf(view(fragments.get(1), Network.OUTSIDE))).isEqualTo(first);
      assertThat(steering.workerOf(view(fragments.get(2), Network.OUTSIDE))).isEqualTo(first);
      assertThat(steering.ownerOf(view(fragments.get(0), Network.OUTSIDE))).isEqualTo(owner);
    }
  }
}
