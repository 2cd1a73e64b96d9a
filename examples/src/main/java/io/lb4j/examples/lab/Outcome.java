package io.lb4j.examples.lab;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How a command of the system ended. Immutable, shared.
 *
 * @param status its exit status, -1 when it could not be started or was too slow
 * @param output what it printed, standard output and standard error together
 */
public record Outcome(int status, String output) {

  /**
   * Runs a command to its end.
   *
   * @param limit the time it may take; afterwards it is ended
   * @param command program and arguments
   * @return its status and output
   */
  public static Outcome of(Duration limit, List<String> command) {
    Path file = null;
    try {
      file = Files.createTempFile("lb4j-command", ".out");
      Process process = new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectInput(new File("/dev/null"))
          .redirectOutput(file.toFile())
          .start();
      boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        process.destroyForcibly().waitFor();
      }
      String output = Files.readString(file, StandardCharsets.UTF_8);
      return ended
          ? new Outcome(process.exitValue(), output)
          : new Outcome(-1, output + "ended after " + limit.toSeconds() + " s");
    } catch (IOException e) {
      return new Outcome(-1, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Outcome(-1, "interrupted");
    } finally {
      delete(file);
    }
  }

  private static void delete(Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Whether the command said that it succeeded.
   *
   * @return status 0
   */
  public boolean ok() {
    return status == 0;
  }
}
