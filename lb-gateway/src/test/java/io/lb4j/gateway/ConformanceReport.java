package io.lb4j.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * Writes {@code target/rfc-report.md} when the tests have run: each rule of {@link NatRule}, the tests that prove it,
 * and whether they passed. Safe from any thread. JUnit finds it as a service.
 */
public final class ConformanceReport implements BeforeAllCallback, TestWatcher {
  private static final Results RESULTS = new Results();

  /** A public constructor for the service loader. */
  public ConformanceReport() {}

  /** Runs and failures of each test; written when JUnit closes its store. */
  private static final class Results implements AutoCloseable {
    private final Map<String, Integer> runs = new ConcurrentHashMap<>();
    private final Map<String, Integer> failures = new ConcurrentHashMap<>();

    @Override
    public void close() {
      try {
        Files.writeString(ConformanceTests.classes().resolveSibling("rfc-report.md"), report());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private String report() {
      Map<String, List<Method>> byRule = new TreeMap<>();
      for (Method test : ConformanceTests.all()) {
        for (String rule : ConformanceTests.rules(test)) {
          byRule.computeIfAbsent(rule, key -> new ArrayList<>()).add(test);
        }
      }
      StringBuilder out = new StringBuilder();
      out.append("# What the RFCs ask of a NAT, and the tests that prove it\n\n");
      out.append("| rule | level | source | what | result | tests |\n| --- | --- | --- | --- | --- | --- |\n");
      for (NatRule rule : NatRule.values()) {
        List<Method> tests = byRule.getOrDefault(rule.name(), List.of());
        out.append(
            String.format(
                "| %s | %s | %s | %s | %s | %s |%n",
                rule,
                rule.level,
                rule.source,
                rule.text,
                result(rule, tests),
                tests.stream().map(this::named).collect(Collectors.joining("<br>"))));
      }
      return out.toString().replace(System.lineSeparator(), "\n");
    }

    private String result(NatRule rule, List<Method> tests) {
      if (tests.isEmpty()) {
        return rule.notMet().map(reason -> "not met: " + reason).orElse("**not covered**");
      }
      if (tests.stream().anyMatch(test -> failed(test) > 0)) {
        return "**fail**";
      }
      return tests.stream().allMatch(test -> runs.containsKey(ConformanceTests.name(test))) ? "pass" : "not run";
    }

    private int failed(Method test) {
      return failures.getOrDefault(ConformanceTests.name(test), 0);
    }

    private String named(Method test) {
      int failed = failed(test);
      int run = runs.getOrDefault(ConformanceTests.name(test), 0);
      String suffix = failed > 0 ? " (" + failed + " of " + run + " fail)" : "";
      return "`" + ConformanceTests.name(test) + "`" + suffix;
    }
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    context
        .getRoot()
        .getStore(ExtensionContext.Namespace.create(ConformanceReport.class))
        .computeIfAbsent(Results.class, key -> RESULTS, Results.class);
  }

  @Override
  public void testSuccessful(ExtensionContext context) {
    context.getTestMethod().ifPresent(test -> RESULTS.runs.merge(ConformanceTests.name(test), 1, Integer::sum));
  }

  @Override
  public void testFailed(ExtensionContext context, Throwable cause) {
    testSuccessful(context);
    context.getTestMethod().ifPresent(test -> RESULTS.failures.merge(ConformanceTests.name(test), 1, Integer::sum));
  }
}
