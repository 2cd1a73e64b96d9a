package io.lb4j.dataplane;

import io.lb4j.frame.FrameOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What waits to be done by a data path's thread, between two bursts. Submitted from any thread, run by the owner's;
 * commands that ask for more get it after frames had their turn.
 */
final class WorkerCommands {
  private final Queue<WorkerCommand> waiting = new ConcurrentLinkedQueue<>();
  private final List<WorkerCommand> further = new ArrayList<>();
  private volatile boolean wanted;

  /** Safe from any thread. */
  void submit(WorkerCommand command) {
    waiting.add(command);
    wanted = true;
  }

  /** Asks for a command once more, from within it. */
  void again(WorkerCommand command) {
    further.add(command);
  }

  /** Whether commands wait. Safe from any thread. */
  boolean isWanted() {
    return wanted;
  }

  /** Runs what waits; what that asks to be run again waits from then on. */
  void run(DataPath path, long nowNs, FrameOutput out) {
    wanted = false;
    for (WorkerCommand command = waiting.poll(); command != null; command = waiting.poll()) {
      command.run(path, nowNs, out);
    }
    if (!further.isEmpty()) {
      waiting.addAll(further);
      further.clear();
      wanted = true;
    }
  }

  /** Runs one command to its end, whatever else waits. */
  void runNow(WorkerCommand command, DataPath path, long nowNs, FrameOutput out) {
    command.run(path, nowNs, out);
    while (!further.isEmpty()) {
      further.remove(0).run(path, nowNs, out);
    }
  }
}
