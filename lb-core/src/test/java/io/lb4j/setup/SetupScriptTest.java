package io.lb4j.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.settings.ConfigurationException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The scripts as texts. */
@Tag("one-jdk")
class SetupScriptTest {
  static Stream<Object[]> scripts() {
    return Stream.of(SetupFlavour.values())
        .flatMap(flavour -> Cases.all().map(one -> new Object[] {flavour, one[0], one[1]}));
  }

  /** The functions are the same in all, and have a file of their own. */
  @ParameterizedTest
  @MethodSource("scripts")
  void shouldWriteTheScriptThatWasRead(SetupFlavour flavour, String name, ServerNeeds needs) throws IOException {
    String apply = SetupScript.apply(needs, Cases.target(flavour));
    String undo = SetupScript.undo(needs, Cases.target(flavour));
    String both = (apply + "======== undo\n" + undo)
        .replace(ShellFunctions.HEAD, "[head]\n").replace(ShellFunctions.APPLY, "[apply]\n")
        .replace(ShellFunctions.UNDO, "[undo]\n");
    GoldenFile.compare(flavour.key() + "-" + name + ".txt", both);
  }

  @Test
  void shouldWriteTheFunctionsThatWereRead() throws IOException {
    GoldenFile.compare("functions.txt",
        ShellFunctions.HEAD + "======== apply\n" + ShellFunctions.APPLY + "======== undo\n" + ShellFunctions.UNDO);
  }

  /** The errors of the manual page: a misspelt interface, a line that is missing, a word that netsh refuses. */
  @Test
  void shouldSayWhatTheManualGotWrong() {
    String linux = SetupScript.apply(Cases.DIRECT4, SetupTarget.of(SetupFlavour.IFCFG, "eth1"));
    assertThat(linux).contains("net/ipv4/conf/all/arp_ignore 1").doesNotContain("eht").doesNotContain("BROADCAST");
    for (SetupFlavour flavour : SetupFlavour.of(OperatingSystem.WINDOWS)) {
      assertThat(SetupScript.apply(Cases.DIRECT, Cases.target(flavour)))
          .doesNotContainPattern("=enable\\s").contains("254").contains("does not silence ARP");
    }
  }

  @Test
  void shouldHaveNothingToDoForAServerThatNeedsNothing(@TempDir Path root) {
    ServerNeeds nothing = new ServerNeeds("s1", "full NAT", Cases.addresses("192.0.2.11"), List.of(), List.of());
    for (SetupFlavour flavour : SetupFlavour.of(OperatingSystem.LINUX)) {
      ShellRun run = ShellRun.of(SetupScript.apply(nothing, SetupTarget.of(flavour)), root, Map.of());
      assertThat(run).isEqualTo(new ShellRun(0, "lb setup: nothing to do\n"));
      assertThat(root).isEmptyDirectory();
    }
  }

  @ParameterizedTest
  @EnumSource(SetupFlavour.class)
  void shouldEndEveryLineAndHaveNoTabs(SetupFlavour flavour) {
    for (ServerNeeds needs : List.of(Cases.DIRECT, Cases.GATEWAY)) {
      assertThat(SetupScript.apply(needs, Cases.target(flavour))).endsWith("\n").doesNotContain("\t", "\r");
      assertThat(SetupScript.undo(needs, Cases.target(flavour))).endsWith("\n").doesNotContain("\t", "\r");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "eth0; reboot", "$(reboot)", "`reboot`", "eth0\nreboot", "eth0'", "eth 0", "../all", "-f",
      "all", "default", "lo", "eth0:1", "a234567890123456", "eth\u0430", ".", ".."})
  void shouldRefuseWhatIsNoLinuxInterface(String name) {
    for (SetupFlavour flavour : SetupFlavour.of(OperatingSystem.LINUX)) {
      assertThatThrownBy(() -> SetupTarget.of(flavour, name)).isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("interface");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"eth0", "enp0s31f6", "eth0.100", "bond-0", "wg_0", "a23456789012345"})
  void shouldTakeNamesOfLinuxInterfaces(String name) {
    assertThat(SetupScript.apply(Cases.DIRECT4, SetupTarget.of(SetupFlavour.IPROUTE2, name)))
        .contains("INTERFACE=${LB4J_INTERFACE:-" + name + "}\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "  ", "a\"b", "a|b", "a>b", "a\nb", "a\u202eb", "a?b", "C:\\x"})
  void shouldRefuseWhatIsNoWindowsInterface(String name) {
    for (SetupFlavour flavour : SetupFlavour.of(OperatingSystem.WINDOWS)) {
      assertThatThrownBy(() -> SetupTarget.of(flavour, name)).isInstanceOf(ConfigurationException.class);
    }
  }

  @Test
  void shouldQuoteNamesOfWindowsInterfaces() {
    assertThat(apply(SetupFlavour.POWERSHELL, "Bob's $(calc) LAN")).contains("@('Bob''s $(calc) LAN')");
    assertThat(apply(SetupFlavour.POWERSHELL, "\u4ee5\u592a\u7f51 2"))
        .contains("@(-join [char[]](0x4EE5, 0x592A, 0x7F51, 0x0020, 0x0032))");
    assertThat(apply(SetupFlavour.NETSH, "Ethernet 2")).contains("set interface \"Ethernet 2\" ");
    for (String name : List.of("100%", "a&calc", "a!b", "a^b", "\u4ee5\u592a\u7f51")) {
      assertThatThrownBy(() -> SetupTarget.of(SetupFlavour.NETSH, name)).hasMessageContaining("PowerShell");
    }
    assertThatThrownBy(() -> SetupTarget.of(SetupFlavour.NETSH)).hasMessageContaining("netsh interface show interface");
  }

  /** PowerShell takes these for quotes, in whatever code page: Windows reads the last one's bytes as one of them. */
  @ParameterizedTest
  @ValueSource(strings = {"a\u2019; calc; \u2018b", "\u201a", "\u201b", "\u00d1; calc; \u00d1"})
  void shouldNotLetLettersOfOtherCodePagesEndAString(String name) {
    String script = apply(SetupFlavour.POWERSHELL, name);
    assertThat(script.chars()).allMatch(character -> character < 0x80);
    assertThat(script).doesNotContain("; calc");
  }

  /** The address is not given up and taken anew, which would end every connection to it. */
  @Test
  void shouldKeepAddressesWhereABatchFileRunsAgain() {
    assertThat(apply(SetupFlavour.NETSH, "Ethernet 2")).contains(" add address ").doesNotContain(" delete ");
  }

  /** Else the old gateway's routes stay beside the new one's, and half of the answers go to either. */
  @Test
  void shouldTakeBackInPowerShellWhatIsDeclaredNoMore() {
    assertThat(SetupScript.apply(Cases.GATEWAY, SetupTarget.of(SetupFlavour.POWERSHELL)))
        .contains("$Gateways = @('192.0.2.5', '2001:db8:5::5')\n", "$Gateways -notcontains $_.Gateway")
        .containsSubsequence("New-NetRoute", "\nAdd-Route ", "\n  Remove-Route $route\n", "Save-State");
    assertThat(SetupScript.apply(Cases.DIRECT4, SetupTarget.of(SetupFlavour.POWERSHELL)))
        .contains("$VirtualAddresses = @('192.0.2.10', '192.0.2.11')\n", "$VirtualAddresses -notcontains $_");
  }

  private static String apply(SetupFlavour flavour, String name) {
    return SetupScript.apply(Cases.DIRECT4, SetupTarget.of(flavour, name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a\nreboot", "a\rreboot", "a\u2028reboot", "a\u0085reboot", "a\u0000b", "\u202erm", "a\u001b[2J"})
  void shouldRefuseServerNamesThatEndALine(String name) {
    assertThatThrownBy(() -> named(name)).isInstanceOf(ConfigurationException.class).hasMessageContaining("server");
  }

  /** The name stands in a comment alone, where nothing in it is read. */
  @ParameterizedTest
  @ValueSource(strings = {"$(touch $LB4J_ROOT/x)", "`touch $LB4J_ROOT/x`", "a'; touch $LB4J_ROOT/x; '", "END", "\\", "#>"})
  void shouldKeepServerNamesHarmless(String name, @TempDir Path root) {
    for (SetupFlavour flavour : SetupFlavour.values()) {
      String script = SetupScript.apply(named(name), Cases.target(flavour));
      String marked = SetupScript.apply(named("MARK"), Cases.target(flavour));
      assertThat(marked.lines().filter(line -> line.contains("MARK")).toList())
          .hasSize(1).allMatch(line -> line.startsWith("# ") || line.startsWith("rem "));
      if (flavour != SetupFlavour.NETSH) { // a batch file reads some characters in comments too; they are left out
        assertThat(script).isEqualTo(marked.replace("MARK", name));
      }
    }
    ShellRun run = ShellRun.of(SetupScript.apply(named(name), SetupTarget.of(SetupFlavour.IFUPDOWN, "eth0")), root,
        Map.of());
    assertThat(run.status()).as(run.output()).isZero();
    assertThat(root.resolve("x")).doesNotExist();
  }

  private static ServerNeeds named(String name) {
    return new ServerNeeds(name, "gateway", Cases.addresses("192.0.2.11"), List.of(), Cases.addresses("192.0.2.5"));
  }

  @Test
  void shouldRefuseAddressesThatNoHostHas() {
    assertThatThrownBy(() -> Cases.direct("192.0.2.21", "224.0.0.1")).hasMessageContaining("224.0.0.1");
    assertThatThrownBy(() -> Cases.direct("192.0.2.21", "::1")).hasMessageContaining("::1");
    assertThatThrownBy(() -> Cases.direct("192.0.2.21", "192.0.2.21")).hasMessageContaining("vip-is-server");
    assertThatThrownBy(() -> Cases.gateway("192.0.2.11", "2001:db8::5")).hasMessageContaining("family-mismatch");
    assertThatThrownBy(() -> new ServerNeeds("s1", "gateway", Cases.addresses("192.0.2.11"), List.of(),
        Cases.addresses("192.0.2.5", "192.0.2.6"))).hasMessageContaining("one default gateway");
    assertThatThrownBy(() -> new ServerNeeds("s1", "gateway", List.of(), List.of(), List.of()))
        .hasMessageContaining("missing");
  }

  @Test
  void shouldSatisfyShellcheck() throws IOException, InterruptedException {
    Assumptions.assumeTrue(Stream.of("/usr/bin/shellcheck", "/usr/local/bin/shellcheck").map(Path::of)
        .anyMatch(Files::isExecutable), "the program 'shellcheck' is missing");
    Path folder = Files.createTempDirectory("lb4j-shellcheck");
    List<String> command = new ArrayList<>(List.of("shellcheck", "-s", "sh"));
    for (SetupFlavour flavour : SetupFlavour.of(OperatingSystem.LINUX)) {
      for (ServerNeeds needs : List.of(Cases.DIRECT, Cases.GATEWAY)) {
        Path apply = folder.resolve(flavour.key() + needs.server() + ".sh");
        Path undo = folder.resolve(flavour.key() + needs.server() + "-undo.sh");
        Files.writeString(apply, SetupScript.apply(needs, SetupTarget.of(flavour)));
        Files.writeString(undo, SetupScript.undo(needs, SetupTarget.of(flavour)));
        command.addAll(List.of(apply.toString(), undo.toString()));
      }
    }
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}
