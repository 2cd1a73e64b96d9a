package io.lb4j.examples.lab;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Starts the JVMs of labs with an ahead-of-time cache (JEP 514), which more than halves the processor time that a JVM
 * takes until it is ready; labs start hundreds. Made by the first process that needs it, for all of the build. The JVM
 * takes it for a class path of jars alone, so directories become jars as well.
 */
final class StartCache {
  private static final Path HOME = Path.of("target", "lab-start").toAbsolutePath();
  private static final Path CACHE = HOME.resolve("lab.aot");
  private static final Path KEY = HOME.resolve("made-of");
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private static List<String> options = List.of(); // guarded by the class

  private StartCache() {}

  /** Options of a JVM: its class path, and the cache where one could be made. */
  static synchronized Stream<String> use() {
    if (options.isEmpty()) {
      try {
        Files.createDirectories(HOME);
        try (FileChannel lock =
            FileChannel.open(HOME.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
          lock.lock();
          make();
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      options = Files.exists(CACHE) ? List.of("-XX:AOTCache=" + CACHE, "-cp", jars()) : List.of("-cp", jars());
    }
    return options.stream();
  }

  private static void make() throws IOException {
    String key = System.getProperty("java.home") + "\n"
        + classPath().map(StartCache::describe).collect(Collectors.joining());
    if (Files.exists(KEY) && Files.readString(KEY).equals(key)) {
      return;
    }
    Files.deleteIfExists(KEY);
    Files.deleteIfExists(CACHE);
    classPath().filter(Files::isDirectory).forEach(StartCache::pack);
    train();
    Files.writeString(KEY, key);
  }

  private static Stream<Path> classPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator)).map(Path::of).filter(Files::exists);
  }

  /** All files with their sizes and times. */
  private static String describe(Path entry) {
    try (Stream<Path> files = Files.walk(entry)) {
      return files.sorted().map(Path::toFile).map(file -> file + " " + file.length() + " " + file.lastModified() + "\n")
          .collect(Collectors.joining());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String jars() {
    return classPath()
        .map(entry -> Files.isDirectory(entry) ? jar(entry) : entry)
        .map(Path::toString)
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static Path jar(Path directory) {
    return HOME.resolve(directory.toString().substring(1).replace('/', '-') + ".jar");
  }

  private static void pack(Path directory) {
    int status = ToolProvider.findFirst("jar").orElseThrow().run(System.out, System.err, "--create", "--no-compress",
        "--no-manifest", "--file", jar(directory).toString(), "-C", directory.toString(), ".");
    if (status != 0) {
      throw new IllegalStateException(directory + " is not to be packed");
    }
  }

  private static void train() throws IOException {
    Path directory = Files.createTempDirectory("lb4j-training");
    List<String> command = new ArrayList<>(List.of("unshare", "--net"));
    command.addAll(LabProcess.jvm("-XX:+UseSerialGC", "-XX:AOTCacheOutput=" + CACHE, "-cp", jars()));
    command.addAll(List.of(StartTraining.class.getName(), directory.toString()));
    Outcome outcome = Outcome.of(LIMIT, command);
    if (!outcome.ok()) {
      Files.deleteIfExists(CACHE);
      System.out.println("labs start without a cache: " + outcome);
    }
    try (Stream<Path> files = Files.list(directory)) {
      files.map(Path::toFile).forEach(File::delete);
    }
    Files.delete(directory);
  }
}
