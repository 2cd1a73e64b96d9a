package io.lb4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code lb} at the top, with scripts in place of a JDK: it finds its jar, from wherever it is called. */
class LbScriptTest {
  @TempDir private Path directory;
  private Path home;

  @BeforeEach
  void install() throws Exception {
    home = Files.createDirectories(directory.toRealPath().resolve("lb 4j"));
    Files.copy(Path.of("..", "lb"), home.resolve("lb"));
    Files.createDirectories(home.resolve("examples/target"));
    Files.createDirectories(home.resolve("examples/src/main"));
    Files.createFile(home.resolve("pom.xml"));
    Files.createFile(home.resolve("examples/pom.xml"));
    Files.createFile(home.resolve("examples/target/lb.jar"));
    Path bin = Files.createDirectories(directory.resolve("jdk/bin"));
    Files.writeString(directory.resolve("jdk/release"), "JAVA_VERSION=\"25.0.1\"\n");
    script(bin.resolve("java"), "printf '%s\\n' \"$@\"");
    script(bin.resolve("javac"), "exit 1");
    script(bin.resolve("mvn"), "exit 1"); // nothing has to be built
  }

  private static void script(Path path, String text) throws Exception {
    Files.writeString(path, "#!/bin/sh\n" + text + "\n");
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private String run(Path where, String command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("sh", command, "check", "a b.yaml").directory(where.toFile());
    builder.environment().put("JAVA_HOME_25", directory.resolve("jdk").toString());
    builder.environment().put("CDPATH", directory.toString());
    builder.environment().put("PATH", directory.resolve("jdk/bin") + ":" + System.getenv("PATH"));
    Process process = builder.redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out;
  }

  @Test
  void shouldFindItsJarFromWhereverItIsCalled() throws Exception {
    String wanted =
        "--enable-native-access=ALL-UNNAMED\n-jar\n" + home + "/examples/target/lb.jar\ncheck\na b.yaml\n";
    assertThat(run(home, "./lb")).isEqualTo(wanted);
    assertThat(run(directory, "lb 4j/lb")).as("below a directory of CDPATH").isEqualTo(wanted);
    Path bin = Files.createDirectory(directory.resolve("bin"));
    Path link = Files.createSymbolicLink(bin.resolve("lb"), home.resolve("lb"));
    assertThat(run(bin, link.toString())).as("by a link").isEqualTo(wanted);
  }
}
