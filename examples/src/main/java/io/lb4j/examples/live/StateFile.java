package io.lb4j.examples.live;

import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.report.StateReport;
import io.lb4j.flow.FlowTimeouts;
import io.lb4j.state.SaveReport;
import io.lb4j.state.StateStreamException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;

/**
 * What a balancer knew of flows and clients when it ended, for the one that begins after it. Used once: what it was
 * restored from is deleted, because times stand still in it. Owned by one thread.
 */
final class StateFile {
  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private final Path path;
  private final Consumer<String> words;

  /**
   * A file.
   *
   * @param path of the file
   * @param words takes what was done, a line each
   */
  StateFile(Path path, Consumer<String> words) {
    this.path = path;
    this.words = words;
  }

  /** Takes over what the file holds, if there is one that is not too old. Never keeps a balancer from beginning. */
  void restore(LoadBalancer balancer) {
    try {
      if (!Files.exists(path)) {
        return;
      }
      Duration age = Duration.between(Files.getLastModifiedTime(path).toInstant(), Instant.now());
      if (age.compareTo(FlowTimeouts.LONGEST) > 0) {
        words.accept(path + ": left alone, it is " + age.toHours() + " h old and no flow lives so long");
        return;
      }
      restoreNow(balancer);
      Files.delete(path);
    } catch (IOException e) {
      words.accept(path + ": nothing restored: " + e);
    }
  }

  private void restoreNow(LoadBalancer balancer) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      words.accept(path + ": " + StateReport.text(balancer.restoreState(in)));
    } catch (StateStreamException e) {
      words.accept(path + ": " + e.getMessage());
    }
  }

  /** Writes what the balancer knows; the file is whole or as it was. */
  void save(LoadBalancer balancer) {
    Path part = path.resolveSibling(path.getFileName() + ".part");
    try {
      Files.deleteIfExists(part);
      Files.createFile(part, OWNER_ONLY);
      SaveReport report;
      try (OutputStream out = Files.newOutputStream(part)) {
        report = balancer.saveState(out);
      }
      Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
      words.accept(path + ": " + StateReport.text(report));
    } catch (IOException e) {
      words.accept(path + ": nothing saved: " + e);
    }
  }
}
