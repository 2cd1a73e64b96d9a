package io.lb4j.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The tests of this package that prove a rule, whether they run now or not. */
final class ConformanceTests {
  private ConformanceTests() {}

  static String name(Method test) {
    return test.getDeclaringClass().getSimpleName() + "." + test.getName();
  }

  static List<String> rules(Method test) {
    return Arrays.stream(test.getAnnotationsByType(Requirement.class)).map(Requirement::value).toList();
  }

  /** All, in order of their names. */
  static List<Method> all() {
    Path folder = classes().resolve(ConformanceTests.class.getPackageName().replace('.', '/'));
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.endsWith("Test.class"))
          .flatMap(file -> methods(file.substring(0, file.length() - ".class".length())))
          .filter(method -> !rules(method).isEmpty())
          .sorted((a, b) -> name(a).compareTo(name(b)))
          .collect(Collectors.toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Stream<Method> methods(String simpleName) {
    try {
      Class<?> type = Class.forName(ConformanceTests.class.getPackageName() + "." + simpleName);
      return Arrays.stream(type.getDeclaredMethods());
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Where the tests were compiled to. */
  static Path classes() {
    try {
      return Path.of(ConformanceTests.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
