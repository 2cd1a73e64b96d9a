package io.lb4j.dataplane;

import io.lb4j.flow.FlowState;
import io.lb4j.flow.FlowTable;
import io.lb4j.forward.Steering;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameStep;
import io.lb4j.frame.FrameView;
import io.lb4j.frame.Verdict;
import io.lb4j.wire.IpProtocol;
import io.lb4j.wire.TcpHeader;
import java.util.Arrays;

/**
 * Usual frames that no flow is known of: those that begin one with a service of Direct Server Return about which
 * nothing has to be asked, those of connections that nobody knows, and those to a virtual address that no service
 * wants. Whatever is otherwise is left to the walk, which would end these frames in the same way. Owned by one worker;
 * allocates nothing.
 */
final class DirectNewcomers {
  private static final int MARK_BITS = 10;

  private final WorkerState state;
  private final ServiceWalk walk;
  private final ServerChoice servers;
  private final DirectWays ways;
  private final FrameStep serve = this::serve;
  private final FrameStep[] beginning = {this::touchClients, this::enter, this::send};
  private final int[] services = new int[FrameBatch.CAPACITY];
  private final int[] bindings = new int[FrameBatch.CAPACITY];
  private int touched; // written only, so that the loads of the touch pass are kept
  private final long[] marks = new long[1 << MARK_BITS - 6]; // of the hashes in this batch

  DirectNewcomers(WorkerState state, ServiceWalk walk, ServerChoice servers, DirectWays ways) {
    this.state = state;
    this.walk = walk;
    this.servers = servers;
    this.ways = ways;
  }

  /**
   * Ends frames without a flow. Frames that have to be walked are not touched.
   *
   * @param views of a batch
   * @param frames the set to look at: usual ones to our MAC addresses, hashed, that are in no table
   */
  void begin(FrameView[] views, int frames) {
    if (frames == 0) {
      return;
    }
    Arrays.fill(marks, 0);
    int served = FrameStep.run(serve, views, frames);
    if (served != 0) {
      ways.refresh(state.table);
      FrameStep.runAll(beginning, views, served);
    }
  }

  /** Finds services, and refuses what nobody wants. */
  private int serve(FrameView[] views, int first, int end) {
    ServiceTable table = state.table.serviceTable();
    int leftOut = 0;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      boolean tcp = view.protocol() == IpProtocol.TCP;
      if (!isFirst(view.hash()) || isSomebodyElses(view) || walk.isFromOurs(view)) {
        leftOut |= 1 << i;
        continue;
      }
      boolean v6 = view.isV6();
      long high = view.destinationHigh();
      long low = view.destinationLow();
      int port = view.destinationPort();
      CompiledService service = table.findExact(v6, high, low, tcp, port);
      boolean closed = service == null && table.isClosed(v6, high, low, tcp);
      if (service == null && !closed) {
        service = table.search(v6, high, low, tcp, port);
      }
      if (service == null) {
        refuse(view, closed);
        leftOut |= 1 << i;
      } else if (!service.beginsPlainly()) {
        leftOut |= 1 << i;
      } else if (tcp && (view.tcpFlags() & (TcpHeader.SYN | TcpHeader.ACK)) != TcpHeader.SYN) {
        if (!service.adopts()) {
          view.end(Verdict.TCP_NOT_SYN);
        }
        leftOut |= 1 << i;
      } else {
        services[i] = service.id();
      }
    }
    return leftOut;
  }

  /** Whether no frame of this batch came here before that may be of the same flow, and so may have begun it. */
  private boolean isFirst(int hash) {
    int word = hash >>> 6 & marks.length - 1;
    long before = marks[word];
    marks[word] = before | 1L << hash;
    return (before >>> hash & 1) == 0;
  }

  private boolean isSomebodyElses(FrameView view) {
    if (!state.isShared()) {
      return false;
    }
    int other = state.steering.otherOwnerOf(view);
    return other != Steering.NOBODY && other != state.worker;
  }

  private void refuse(FrameView view, boolean isToVip) {
    if (state.translator == null && (isToVip || state.isToVip(view))) {
      view.end(walk.refuse(view, Verdict.NO_SERVICE));
    }
  }

  private int touchClients(FrameView[] views, int first, int end) {
    ServiceRuntime[] runtimes = state.runtimes;
    int sum = 0;
    for (int i = first; i < end; i++) {
      ServiceClients clients = runtimes[services[i]].clients();
      if (clients != null) {
        sum += servers.touch(clients, views[i]);
      }
    }
    touched = sum;
    return 0;
  }

  /** Chooses servers one after another: what one flow changes, the next choice is to know. */
  private int enter(FrameView[] views, int first, int end) {
    ServiceRuntime[] runtimes = state.runtimes;
    int leftOut = 0;
    for (int i = first; i < end; i++) {
      ServiceRuntime runtime = runtimes[services[i]];
      FrameView view = views[i];
      int known = runtime.clients() == null ? 0 : servers.known(runtime.service(), view);
      int binding = known != 0 ? known : servers.pick(runtime, view);
      if (binding == 0) {
        leftOut |= 1 << i; // the walk says why
        continue;
      }
      bindings[i] = binding;
      if (!enter(view, binding)) {
        leftOut |= 1 << i;
      } else if (known != 0 && runtime.service().retiresClients()) {
        servers.remember(view, runtime.service(), state.table.binding(binding)); // else that was done just now
      }
    }
    return leftOut;
  }

  private boolean enter(FrameView view, int binding) {
    boolean tcp = view.protocol() == IpProtocol.TCP;
    int handle = walk.insert(view, binding, tcp ? FlowState.SYN : FlowState.UDP_FIRST);
    if (handle < 0) {
      view.end(handle == FlowTable.NO_ROOM_EMBRYONIC ? Verdict.EMBRYONIC_LIMIT : Verdict.FLOW_TABLE_FULL);
      return false;
    }
    state.counters.onFlowBegin(binding);
    return true;
  }

  private int send(FrameView[] views, int first, int end) {
    long[] macs = state.linkMacs;
    for (int i = first; i < end; i++) {
      FrameView view = views[i];
      int binding = bindings[i];
      long way = ways.of(binding);
      int link = DirectWays.link(way);
      if (way == DirectWays.NONE || !state.isWhole(view, link)) {
        view.end(walk.forward(view, state.table.binding(binding)));
        continue;
      }
      view.setUsualMacs(DirectWays.mac(way), macs[link]);
      view.forward(link, binding);
      state.counters.onServerFrame(binding, view.length());
    }
    return 0;
  }
}
