package io.lb4j.core;

import io.lb4j.counters.WorkerCounters;
import io.lb4j.dataplane.DataPath;
import io.lb4j.dataplane.WaitStrategy;
import io.lb4j.dataplane.Worker;
import io.lb4j.port.Port;
import io.lb4j.port.PortQueue;
import io.lb4j.steering.Pipeline;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/** The threads of a balancer that runs: one of two ways. Owned by the control side. */
abstract class RunningThreads {
  private static final long JOIN_MILLIS = 5_000;

  abstract boolean isToCompletion();

  abstract void start();

  /** Ends the threads; false when the calling thread was interrupted meanwhile. */
  abstract boolean stop();

  /** Who counts beside the workers. */
  abstract List<WorkerCounters> counters();

  static RunningThreads toCompletion(
      List<DataPath> dataPaths, List<Port> ports, WaitStrategy waiting, LongSupplier clock) {
    return new ToCompletion(dataPaths, ports, waiting, clock);
  }

  static RunningThreads of(Pipeline pipeline) {
    return new Pipelined(pipeline);
  }

  /** Each worker with one queue of every port. */
  private static final class ToCompletion extends RunningThreads {
    private final List<Worker> workers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    ToCompletion(List<DataPath> dataPaths, List<Port> ports, WaitStrategy waiting, LongSupplier clock) {
      for (DataPath dataPath : dataPaths) {
        int number = workers.size();
        List<PortQueue> queues = ports.stream().map(port -> port.queue(number)).toList();
        workers.add(new Worker(dataPath, queues, waiting, clock));
        Thread thread = new Thread(workers.get(number), "lb4j-worker-" + number);
        thread.setDaemon(true);
        threads.add(thread);
      }
    }

    @Override
    boolean isToCompletion() {
      return true;
    }

    @Override
    void start() {
      threads.forEach(Thread::start);
    }

    @Override
    boolean stop() {
      workers.forEach(Worker::stop);
      boolean patient = true;
      for (Thread thread : threads) {
        try {
          thread.join(JOIN_MILLIS);
        } catch (InterruptedException e) {
          patient = false;
        }
      }
      return patient;
    }

    @Override
    List<WorkerCounters> counters() {
      return List.of();
    }
  }

  /** Receivers, workers and a transmitter. */
  private static final class Pipelined extends RunningThreads {
    private final Pipeline pipeline;

    Pipelined(Pipeline pipeline) {
      this.pipeline = pipeline;
    }

    @Override
    boolean isToCompletion() {
      return false;
    }

    @Override
    void start() {
      pipeline.start();
    }

    @Override
    boolean stop() {
      return pipeline.stop();
    }

    @Override
    List<WorkerCounters> counters() {
      return pipeline.counters();
    }
  }
}
