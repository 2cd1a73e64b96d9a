package io.lb4j.setup;

/**
 * The scripts of a server's machine. Running one again changes nothing; the one that takes a set-up back restores what
 * the other found, however often that one ran. Pure functions; safe from any thread.
 */
public final class SetupScript {
  private SetupScript() {}

  /**
   * The script that sets a machine up.
   *
   * @param needs what the machine has to have
   * @param target where it runs
   * @return its text: POSIX shell, PowerShell or a batch file, each line ended by one line feed
   */
  public static String apply(ServerNeeds needs, SetupTarget target) {
    return switch (target.flavour()) {
      case POWERSHELL -> new PowerShellScript(needs, target).apply();
      case NETSH -> new NetshScript(needs, target).apply();
      default -> new LinuxScript(needs, target).apply();
    };
  }

  /**
   * The script that takes a set-up back.
   *
   * @param needs what the machine was set up for
   * @param target where it runs
   * @return its text
   */
  public static String undo(ServerNeeds needs, SetupTarget target) {
    return switch (target.flavour()) {
      case POWERSHELL -> new PowerShellScript(needs, target).undo();
      case NETSH -> new NetshScript(needs, target).undo();
      default -> new LinuxScript(needs, target).undo();
    };
  }
}
