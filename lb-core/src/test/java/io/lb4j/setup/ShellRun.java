package io.lb4j.setup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** A script that was run with a folder in place of the system: status and output. */
record ShellRun(int status, String output) {
  /** Runs a script; files go below the root, and nothing else is changed. */
  static ShellRun of(String script, Path root, Map<String, String> more) {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "there is no /bin/sh");
    try {
      Path file = Files.createTempFile("lb4j-setup", ".sh");
      Files.writeString(file, script);
      ProcessBuilder builder = new ProcessBuilder(List.of("/bin/sh", file.toString())).redirectErrorStream(true);
      builder.environment().keySet().removeIf(name -> name.startsWith("LB4J_"));
      builder.environment().put("LB4J_ROOT", root.toString());
      builder.environment().putAll(more);
      Process process = builder.start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
      Files.delete(file);
      return new ShellRun(process.exitValue(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Every file and folder below a root, with rights and content, but for the journal. */
  static String tree(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      return paths.filter(path -> !path.startsWith(root.resolve("var"))).sorted()
          .map(path -> describe(root, path)).collect(Collectors.joining());
    }
  }

  private static String describe(Path root, Path path) {
    try {
      String head = "--- /" + root.relativize(path) + " " + rights(path) + "\n";
      return Files.isDirectory(path) ? "" : head + Files.readString(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String rights(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
