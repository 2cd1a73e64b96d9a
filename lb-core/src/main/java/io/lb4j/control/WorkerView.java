package io.lb4j.control;

import io.lb4j.counters.ServerCounts;

/** What control asks of the workers, all of them together. Safe from any thread. */
public interface WorkerView {
  /** A view on no workers at all. */
  WorkerView NONE =
      new WorkerView() {
        @Override
        public long adoptedGeneration() {
          return 0;
        }

        @Override
        public long sweptGeneration() {
          return 0;
        }

        @Override
        public ServerCounts server(int binding) {
          return ServerCounts.ZERO;
        }
      };

  /**
   * The youngest generation that all workers have taken over: none works by a snapshot before it.
   *
   * @return 0 while there are no workers
   */
  long adoptedGeneration();

  /**
   * The youngest generation that all workers have swept their tables under: none has a flow of a server that was gone
   * by then.
   *
   * @return 0 at first
   */
  long sweptGeneration();

  /**
   * What was counted under a binding id.
   *
   * @param binding 1 or more
   * @return sums
   */
  ServerCounts server(int binding);
}
