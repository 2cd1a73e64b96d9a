package io.lb4j.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares with what src/test/python/maglev_reference.py wrote, here and in a second JVM. */
class MaglevReferenceTest {
  static List<String> reference() throws IOException {
    try (InputStream lines = MaglevReferenceTest.class.getResourceAsStream("maglev-reference.txt")) {
      return new String(lines.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("reference")
  void shouldBuildTheTableOfTheIndependentImplementation(String line) {
    assertThat(rebuilt(line, 0)).isEqualTo(line);
  }

  @Test
  void shouldBuildTheSameTablesInASecondJvmFromAnotherOrder() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(java(), "-cp", classPath(), SecondJvm.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertThat(process.waitFor()).isZero();
    assertThat(output.lines().toList()).isEqualTo(reference());
  }

  /** Prints each line of the reference as rebuilt from shuffled candidates. */
  static final class SecondJvm {
    private SecondJvm() {}

    public static void main(String[] args) throws IOException {
      reference().forEach(line -> System.out.println(rebuilt(line, 1)));
    }
  }

  /** The line that our table gives for the case of a line. */
  private static String rebuilt(String line, long shuffle) {
    String[] word = line.split(" ");
    int modulus = Integer.parseInt(word[2]);
    List<Candidate> declared = Pool.weighted(Integer.parseInt(word[0]), i -> 1 + i * i % modulus);
    List<Candidate> candidates = shuffle == 0 ? declared : Pool.shuffled(declared, shuffle);
    MaglevTable table = MaglevTable.of(candidates, Integer.parseInt(word[1]), Long.parseLong(word[3]));
    List<String> ranked = candidates.stream().map(Candidate::identity).sorted().toList();
    String ranks =
        IntStream.range(0, Math.min(16, table.size()))
            .mapToObj(slot -> candidates.get(table.candidateAt(slot)).identity())
            .map(identity -> Integer.toString(ranked.indexOf(identity)))
            .collect(Collectors.joining(","));
    return String.join(" ", word[0], word[1], word[2], word[3], ranks, table.digest());
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  private static String classPath() {
    return List.of(MaglevTable.class, MaglevReferenceTest.class).stream()
        .map(MaglevReferenceTest::location)
        .distinct()
        .collect(Collectors.joining(File.pathSeparator, resources() + File.pathSeparator, ""));
  }

  private static String resources() {
    String file = "maglev-reference.txt";
    return Path.of(URI.create(MaglevReferenceTest.class.getResource(file).toString()))
        .resolve("../../../..")
        .normalize()
        .toString();
  }

  private static String location(Class<?> type) {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
