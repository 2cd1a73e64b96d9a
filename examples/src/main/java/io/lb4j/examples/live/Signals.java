package io.lb4j.examples.live;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Signals of the operating system as a queue. They are reached by reflection, because the JDK has them in {@code
 * sun.misc.Signal} only, whose use in sources is a compiler warning. Safe from any thread.
 */
public final class Signals {
  private final BlockingQueue<String> arrived = new LinkedBlockingQueue<>();

  /**
   * Catches signals from now on.
   *
   * @param names without SIG, for example {@code HUP}; one that the system lacks, or keeps, is left out
   */
  public Signals(String... names) {
    for (String name : names) {
      try {
        handle(name);
      } catch (ReflectiveOperationException e) {
        if (!(e instanceof InvocationTargetException)) {
          throw new IllegalStateException("the JDK has no signals: " + e, e);
        }
      }
    }
  }

  private void handle(String name) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    Object queue =
        Proxy.newProxyInstance(Signals.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, args) -> {
          return switch (method.getName()) {
            case "handle" -> {
              arrived.add(name);
              yield null;
            }
            case "equals" -> proxy == args[0];
            case "hashCode" -> name.hashCode();
            default -> "SIG" + name;
          };
        });
    Object number = signal.getConstructor(String.class).newInstance(name);
    signal.getMethod("handle", signal, handler).invoke(null, number, queue);
  }

  /** As though the system had sent it. */
  void raise(String name) {
    arrived.add(name);
  }

  /** The next signal, or null when none came in time. */
  String poll(long nanoseconds) throws InterruptedException {
    return arrived.poll(nanoseconds, TimeUnit.NANOSECONDS);
  }
}
