package io.lb4j.setup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;

/**
 * A text that a person has read and found right. With {@code -Dlb4j.golden=write} the files are written anew, and every
 * test that does so fails, so that nobody does it without reading the difference.
 */
final class GoldenFile {
  private static final Path FOLDER = Path.of("src", "test", "resources", "io", "lb4j", "setup");

  private GoldenFile() {}

  static void compare(String name, String text) throws IOException {
    Path file = FOLDER.resolve(name);
    if ("write".equals(System.getProperty("lb4j.golden"))) {
      Files.createDirectories(FOLDER);
      Files.writeString(file, text, StandardCharsets.UTF_8);
      Assertions.fail(file + " is written: read the difference, and run the test again without lb4j.golden");
    }
    assertThat(file).as("made by -Dlb4j.golden=write").exists();
    assertThat(text).isEqualTo(Files.readString(file, StandardCharsets.UTF_8));
  }
}
