package io.lb4j.health;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import org.jspecify.annotations.Nullable;

/**
 * The socket that a probe has open, so that who abandons the probe can close it: that ends a thread that waits for it.
 * Safe from any thread.
 */
final class OpenSocket {
  private @Nullable Closeable socket;
  private boolean abandoned;

  synchronized <T extends Closeable> T opened(T newSocket) throws IOException {
    if (abandoned) {
      newSocket.close();
      throw new InterruptedIOException("the probe was abandoned");
    }
    socket = newSocket;
    return newSocket;
  }

  synchronized void abandon() {
    abandoned = true;
    if (socket != null) {
      try {
        socket.close();
      } catch (IOException e) {
        return; // it is gone either way
      }
    }
  }
}
