package io.lb4j.setup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The files that scripts write, below a folder that has what a distribution has. What they say was checked against
 * systemd.network(5), the netplan reference, nm-settings-keyfile(5) (nmcli 1.42 reads the profile back with {@code
 * --offline}), NetworkManager-dispatcher(8), interfaces(5), sysconfig.txt of initscripts and sysctl.d(5); the lab runs
 * systemd-networkd, netplan and ifupdown themselves.
 */
@Tag("one-jdk")
class SetupFilesTest {
  @TempDir Path root;

  static Stream<Object[]> files() {
    return SetupFlavour.of(OperatingSystem.LINUX).stream()
        .flatMap(flavour -> Cases.all().map(one -> new Object[] {flavour, one[0], one[1]}));
  }

  private void fixture() throws IOException {
    file("etc/network/interfaces", "auto lo\niface lo inet loopback\n", "rw-r-----");
    file("etc/netplan/50-cloud-init.yaml", "network:\n  ethernets:\n    eth0:\n      dhcp4: true\n", "rw-------");
    file("etc/systemd/network/10-eth0.network", "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n", "rw-r--r--");
    file("etc/sysconfig/network-scripts/ifcfg-lo", "DEVICE=lo\nIPADDR=127.0.0.1\nNETMASK=255.0.0.0", "rw-r--r--");
    file("etc/sysconfig/network-scripts/route-eth0", "198.18.0.0/15 via 192.0.2.1\n", "rw-r--r--");
  }

  private void file(String name, String text, String rights) throws IOException {
    Path path = root.resolve(name);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(rights));
  }

  private ShellRun run(String script) {
    return ShellRun.of(script, root, Map.of());
  }

  private ShellRun apply(ServerNeeds needs, SetupFlavour flavour) {
    return run(SetupScript.apply(needs, SetupTarget.of(flavour, "eth0")));
  }

  private ShellRun undo(ServerNeeds needs, SetupFlavour flavour) {
    return run(SetupScript.undo(needs, SetupTarget.of(flavour)));
  }

  private static void assertOk(ShellRun run) {
    assertThat(run.status()).as(run.output()).isZero();
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldWriteTheFilesThatWereReadAndRestoreThem(SetupFlavour flavour, String name, ServerNeeds needs)
      throws IOException {
    fixture();
    String before = ShellRun.tree(root);
    assertOk(apply(needs, flavour));
    String once = ShellRun.tree(root);
    assertOk(apply(needs, flavour));
    assertThat(ShellRun.tree(root)).as("twice").isEqualTo(once);
    assertOk(undo(needs, flavour));
    assertThat(ShellRun.tree(root)).isEqualTo(before);
    assertThat(root.resolve("var")).doesNotExist();
    GoldenFile.compare("files-" + flavour.key() + "-" + name + ".txt", changed(before, once));
  }

  /** The files that are new or other than before. */
  private static String changed(String before, String after) {
    List<String> old = List.of(before.split("(?m)^(?=--- )"));
    StringBuilder text = new StringBuilder();
    Stream.of(after.split("(?m)^(?=--- )")).filter(file -> !old.contains(file)).forEach(text::append);
    return text.toString();
  }

  /** What a run before wrote and this one does not is restored at once. */
  @Test
  void shouldFollowAConfigurationThatChanged() throws IOException {
    fixture();
    String before = ShellRun.tree(root);
    assertOk(apply(Cases.direct("192.0.2.21", "192.0.2.10", "192.0.2.11", "2001:db8::10"), SetupFlavour.IFCFG));
    assertOk(apply(Cases.direct("192.0.2.21", "192.0.2.11"), SetupFlavour.IFCFG));
    Path scripts = root.resolve("etc/sysconfig/network-scripts");
    assertThat(scripts.resolve("ifcfg-lo:1")).content().contains("192.0.2.11");
    assertThat(scripts.resolve("ifcfg-lo:2")).doesNotExist();
    assertThat(scripts.resolve("ifcfg-lo")).content().doesNotContain("lb4j");
    assertOk(undo(Cases.DIRECT4, SetupFlavour.IFCFG));
    assertThat(ShellRun.tree(root)).isEqualTo(before);
  }

  @Test
  void shouldRefuseASecondFlavourAndFilesOfOthers() throws IOException {
    fixture();
    assertOk(apply(Cases.DIRECT4, SetupFlavour.NETPLAN));
    ShellRun second = apply(Cases.DIRECT4, SetupFlavour.IFUPDOWN);
    assertThat(second.status()).isEqualTo(1);
    assertThat(second.output()).contains("set up with netplan");
    assertOk(undo(Cases.DIRECT4, SetupFlavour.IFUPDOWN));
    file("etc/sysconfig/network-scripts/ifcfg-lo:1", "DEVICE=lo:1\n", "rw-r--r--");
    assertThat(apply(Cases.DIRECT4, SetupFlavour.IFCFG).output()).contains("is there already");
    file("etc/sysconfig/network-scripts/route-eth0", "ADDRESS0=198.18.0.0\n", "rw-r--r--");
    String before = ShellRun.tree(root);
    assertThat(apply(Cases.GATEWAY4, SetupFlavour.IFCFG).output()).contains("ADDRESS0");
    assertThat(ShellRun.tree(root)).isEqualTo(before);
    assertThat(root.resolve("var")).as("nothing was begun").doesNotExist();
  }

  @Test
  void shouldRefuseAnInterfaceThatTheToolDoesNotManage() throws IOException {
    fixture();
    for (SetupFlavour flavour : List.of(SetupFlavour.NETPLAN, SetupFlavour.SYSTEMD_NETWORKD)) {
      ShellRun run = run(SetupScript.apply(Cases.GATEWAY4, SetupTarget.of(flavour, "eth7")));
      assertThat(run.status()).isEqualTo(1);
      assertThat(run.output()).contains("eth7");
      assertThat(root.resolve("var")).as("nothing was begun").doesNotExist();
    }
  }

  @Test
  void shouldAddToTheNetworkFileThatLoHasAlready() throws IOException {
    fixture();
    file("etc/systemd/network/20-lo.network", "[Match]\nName=lo\n", "rw-r--r--");
    assertOk(apply(Cases.DIRECT4, SetupFlavour.SYSTEMD_NETWORKD));
    assertThat(root.resolve("etc/systemd/network/20-lo.network.d/90-lb4j.conf")).content()
        .contains("Address=192.0.2.10/32").doesNotContain("[Match]");
    assertThat(root.resolve("etc/systemd/network/90-lb4j-lo.network")).doesNotExist();
  }

  @Test
  void shouldLeaveInterfacesAloneWhereTheFolderIsRead() throws IOException {
    file("etc/network/interfaces", "source /etc/network/interfaces.d/*\n", "rw-r--r--");
    assertOk(apply(Cases.DIRECT4, SetupFlavour.IFUPDOWN));
    assertThat(root.resolve("etc/network/interfaces")).hasContent("source /etc/network/interfaces.d/*\n");
  }

  @Test
  void shouldRestoreALinkAsALink() throws IOException {
    file("etc/real", "auto lo\n", "rw-r--r--");
    Files.createDirectories(root.resolve("etc/network"));
    Files.createSymbolicLink(root.resolve("etc/network/interfaces"), Path.of("../real"));
    assertOk(apply(Cases.DIRECT4, SetupFlavour.IFUPDOWN));
    assertThat(root.resolve("etc/real")).hasContent("auto lo\n");
    assertOk(undo(Cases.DIRECT4, SetupFlavour.IFUPDOWN));
    assertThat(Files.readSymbolicLink(root.resolve("etc/network/interfaces"))).isEqualTo(Path.of("../real"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"eth0; touch $LB4J_ROOT/x", "$(touch x)", "../all", "lo", "-x", "eth 0"})
  void shouldRefuseInterfacesOfTheEnvironment(String name) {
    ShellRun run = ShellRun.of(SetupScript.apply(Cases.DIRECT4, SetupTarget.of(SetupFlavour.NETPLAN)), root,
        Map.of("LB4J_INTERFACE", name));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.output()).contains("cannot set up the interface");
    assertThat(root).isEmptyDirectory();
  }

  @Test
  void shouldAskForTheInterfaceWhereNoneCanBeFound() {
    ShellRun run = run(SetupScript.apply(Cases.DIRECT4, SetupTarget.of(SetupFlavour.NETPLAN)));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.output()).contains("set LB4J_INTERFACE");
  }

  /** A connection that breaks while the script comes leaves the machine as it is. */
  @Test
  void shouldDoNothingWithHalfAScript() {
    String script = SetupScript.apply(Cases.DIRECT4, SetupTarget.of(SetupFlavour.NETPLAN, "eth0"));
    for (String end : List.of("put_sysctls\n", "finish netplan\n", "}\n\nmain")) {
      String half = script.substring(0, script.lastIndexOf(end) + (end.startsWith("}") ? 0 : end.length()));
      assertThat(run(half).output()).doesNotContain("done");
      assertThat(root).isEmptyDirectory();
    }
  }

  /** What others wrote into a file that is theirs as well is not taken back with ours. */
  @ParameterizedTest
  @ValueSource(strings = {"etc/network/interfaces", "etc/sysconfig/network-scripts/ifcfg-lo"})
  void shouldKeepWhatOthersWroteIntoAFileMeanwhile(String name) throws IOException {
    fixture();
    SetupFlavour flavour = name.endsWith("interfaces") ? SetupFlavour.IFUPDOWN : SetupFlavour.IFCFG;
    assertOk(apply(Cases.DIRECT, flavour));
    Files.writeString(root.resolve(name), "# by hand\n", StandardOpenOption.APPEND);
    assertOk(apply(Cases.DIRECT, flavour));
    ShellRun back = undo(Cases.DIRECT, flavour);
    assertOk(back);
    assertThat(back.output()).contains(name + " was changed since");
    assertThat(root.resolve(name)).content().contains("lo", "# by hand\n").doesNotContain("lb4j");
    assertThat(root.resolve("var")).doesNotExist();
  }

  /** Routes that others added to a file that a script had made, and one that they have removed. */
  @Test
  void shouldKeepAFileThatOthersUseMeanwhile() throws IOException {
    fixture();
    assertOk(apply(Cases.GATEWAY, SetupFlavour.IFCFG));
    Path scripts = root.resolve("etc/sysconfig/network-scripts");
    Files.writeString(scripts.resolve("route6-eth0"), "2001:db8:9::/48 via 2001:db8:5::9\n", StandardOpenOption.APPEND);
    Files.delete(scripts.resolve("route-eth0"));
    assertOk(undo(Cases.GATEWAY, SetupFlavour.IFCFG));
    assertThat(scripts.resolve("route6-eth0")).hasContent("2001:db8:9::/48 via 2001:db8:5::9\n");
    assertThat(scripts.resolve("route-eth0")).doesNotExist();
  }

  /** Of two set-ups that are kept apart the second would write over the files of the first. */
  @ParameterizedTest
  @EnumSource(value = SetupFlavour.class, names = {"SYSTEMD_NETWORKD", "NETPLAN", "NETWORKMANAGER", "IFUPDOWN", "IFCFG"})
  void shouldNotWriteOverAnotherSetup(SetupFlavour flavour) throws IOException {
    fixture();
    for (ServerNeeds needs : List.of(Cases.DIRECT, Cases.GATEWAY)) {
      assertOk(apply(needs, flavour));
      String first = ShellRun.tree(root);
      ShellRun second = ShellRun.of(SetupScript.apply(needs, SetupTarget.of(flavour, "eth0")), root,
          Map.of("LB4J_STATE", root + "/state"));
      assertThat(second.status()).isEqualTo(1);
      assertThat(second.output()).contains("is there already");
      assertThat(ShellRun.tree(root)).isEqualTo(first);
      assertOk(undo(needs, flavour));
    }
  }

  /** A second name of one machine, whose script would take back what the first one's made. */
  @Test
  void shouldRefuseAMachineThatIsSetUpAsAnotherServer() throws IOException {
    fixture();
    assertOk(apply(Cases.direct("192.0.2.21", "192.0.2.10"), SetupFlavour.NETPLAN));
    String first = ShellRun.tree(root);
    ShellRun second = apply(Cases.direct("198.51.100.21", "198.51.100.10"), SetupFlavour.NETPLAN);
    assertThat(second.status()).isEqualTo(1);
    assertThat(second.output()).contains("set up as the server 192.0.2.21: take that back first");
    assertThat(ShellRun.tree(root)).isEqualTo(first);
    assertOk(apply(Cases.DIRECT, SetupFlavour.NETPLAN)); // one address of two
    assertOk(undo(Cases.DIRECT, SetupFlavour.NETPLAN));
  }

  /** In another section netplan would refuse all of its files, and the machine would start without network. */
  @ParameterizedTest
  @ValueSource(strings = {"bonds", "bridges", "vlans", "ethernets"})
  void shouldAddRoutesWhereNetplanHasTheInterface(String section) throws IOException {
    file("etc/netplan/50-cloud-init.yaml", """
        # eth0: by hand
        network:
          ethernets:
            eth1:
              dhcp4: true
              match: {macaddress: "02:00:00:00:00:01"}
          %s:
            "eth7":
              parameters:
                eth0: 5
            'eth0':
              addresses:
              - 192.0.2.11/24
          version: 2
        """.formatted(section), "rw-------");
    assertOk(apply(Cases.GATEWAY4, SetupFlavour.NETPLAN));
    assertThat(root.resolve("etc/netplan/90-lb4j-eth0.yaml")).content().contains("\n  " + section + ":\n    eth0:\n");
  }

  /** What netplan made of files that are gone would come back with the next start of networkd. */
  @ParameterizedTest
  @CsvSource({"netplan, netplan generate", "systemd-networkd, networkctl reload",
      "networkmanager, nmcli connection reload", "ifupdown, "})
  void shouldTellTheToolThatItsFilesAreGone(String flavour, String call) throws IOException {
    for (String program : List.of("netplan", "networkctl", "nmcli", "id", "ip")) {
      file("bin/" + program, "#!/bin/sh\necho \"${0##*/} $*\" >> " + root + "/calls\necho 0\n", "rwxr-xr-x");
    }
    file("state/flavour", flavour + "\n", "rw-r--r--");
    file("state/boot", "1\n", "rw-r--r--");
    ShellRun run = ShellRun.of(SetupScript.undo(Cases.DIRECT4, SetupTarget.of(SetupFlavour.NETPLAN)), root, Map.of(
        "LB4J_ROOT", "", "LB4J_STATE", root + "/state", "PATH", root + "/bin:" + System.getenv("PATH")));
    assertOk(run);
    List<String> calls = Files.readAllLines(root.resolve("calls"));
    assertThat(calls).isEqualTo(call == null ? List.of("id -u") : List.of("id -u", call));
    assertThat(root.resolve("state")).doesNotExist();
  }

  @Test
  void shouldNotTakeBackTwice() {
    assertOk(apply(Cases.DIRECT4, SetupFlavour.NETPLAN));
    assertThat(undo(Cases.DIRECT4, SetupFlavour.NETPLAN).output()).isEqualTo("lb setup: taken back\n");
    assertThat(undo(Cases.DIRECT4, SetupFlavour.NETPLAN).output()).contains("nothing to take back");
    assertThat(root).isEmptyDirectory();
  }

  @Test
  void shouldNotTouchAFolderOfSomebodyElse() throws IOException {
    file("var/lib/lb4j-setup/precious", "x", "rw-r--r--");
    assertThat(apply(Cases.DIRECT4, SetupFlavour.NETPLAN).output()).contains("holds something else");
    assertOk(undo(Cases.DIRECT4, SetupFlavour.NETPLAN));
    assertThat(root.resolve("var/lib/lb4j-setup/precious")).hasContent("x");
  }
}
