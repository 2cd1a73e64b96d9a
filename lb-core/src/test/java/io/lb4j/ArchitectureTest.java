package io.lb4j;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Packages import downwards only. */
@Tag("one-jdk")
class ArchitectureTest {
  /** From the top; packages of one row do not know each other. */
  private static final List<List<String>> LAYERS =
      List.of(
          List.of("core"),
          List.of("control", "state"),
          List.of("steering", "health"),
          List.of("dataplane"),
          List.of("lint"),
          List.of("forward", "verify"),
          List.of("service"),
          List.of("flow", "persistence", "schedule", "neighbor", "counters", "port", "monitor"),
          List.of("topology", "frame", "event", "setup"),
          List.of("wire", "address", "settings"));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.lb4j");

  private static String[] packages(List<String> names) {
    return names.stream().map(name -> "io.lb4j." + name + "..").toArray(String[]::new);
  }

  @Test
  void shouldHaveAPlaceForEveryPackage() {
    TreeSet<String> known = new TreeSet<>();
    LAYERS.forEach(layer -> layer.forEach(name -> known.add("io.lb4j." + name)));
    TreeSet<String> found = new TreeSet<>();
    CLASSES.stream().map(JavaClass::getPackageName).forEach(found::add);
    assertThat(found).isEqualTo(known);
  }

  @Test
  void shouldImportDownwardsOnly() {
    List<String> above = new ArrayList<>();
    for (List<String> layer : LAYERS) {
      for (String name : layer) {
        List<String> forbidden = new ArrayList<>(above);
        layer.stream().filter(other -> !other.equals(name)).forEach(forbidden::add);
        if (!forbidden.isEmpty()) {
          noClasses()
              .that()
              .resideInAPackage("io.lb4j." + name + "..")
              .should()
              .dependOnClassesThat(resideInAnyPackage(packages(forbidden)))
              .check(CLASSES);
        }
      }
      above.addAll(layer);
    }
  }

  @Test
  void shouldHaveNoCycles() {
    slices().matching("io.lb4j.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void shouldKeepSocketsFilesAndSleepOutOfTheCore() {
    noClasses()
        .should()
        .dependOnClassesThat(resideInAnyPackage("java.nio.file..", "java.nio.channels..", "sun..", "jdk.internal.."))
        .check(CLASSES);
    noClasses().should().callMethod(Thread.class, "sleep", long.class).check(CLASSES);
  }

  @Test
  void shouldOpenSocketsForProbesAlone() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.lb4j.health..")
        .should()
        .dependOnClassesThat(
            resideInAPackage("java.net..").and(not(belongToAnyOf(InetAddress.class, UnknownHostException.class))))
        .check(CLASSES);
  }
}
