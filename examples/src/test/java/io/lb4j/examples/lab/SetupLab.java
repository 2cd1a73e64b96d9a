package io.lb4j.examples.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;

/**
 * What labs of {@code lb setup} have in common: a running balancer, and one server that is a machine of its own. Owned
 * by the thread that tests.
 */
abstract class SetupLab {
  static final int WEB = 80;
  static LabFixture fixture;
  static ServerMachine machine;

  @AfterAll
  static void down() {
    if (fixture != null) {
      fixture.close();
      fixture = null;
    }
  }

  /** The options of {@code lb setup} for a flavour. */
  static String[] flavour(String name, String... more) {
    return Stream.concat(Stream.of("--flavour", name), Stream.of(more)).toArray(String[]::new);
  }

  /**
   * Applies a script, twice, and takes it back, twice; a second time changes nothing.
   *
   * @param flavour as {@code lb setup} names it
   * @param fault what {@code lb verify} finds wrong before, looked for with one flavour
   * @param looks at the machine that serves
   */
  static void serveAndTakeBack(String flavour, String fault, Runnable looks) {
    String before = machine.state();
    if (flavour.equals("iproute2")) {
      machine.mustNotServe(WEB);
      assertThat(machine.verify()).contains(fault + ": server s1", "type     lb setup ", " --server s1 --os linux");
    }
    machine.mustRun(machine.script(flavour(flavour)));
    String once = machine.state();
    machine.mustServe(WEB);
    looks.run();
    assertThat(machine.verify()).contains("all is well");
    machine.mustRun(machine.script(flavour(flavour)));
    machine.mustBe(once);
    machine.mustRun(machine.script(flavour(flavour, "--undo")));
    machine.mustBe(before);
    machine.mustRun(machine.script(flavour(flavour, "--undo")));
    machine.mustBe(before);
  }
}
