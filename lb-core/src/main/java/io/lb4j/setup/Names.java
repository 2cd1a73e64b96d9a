package io.lb4j.setup;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.stream.Collectors;

/** Which names may stand in a script, and how they are quoted there. Stateless. */
final class Names {
  /** The kernel's limit, without the zero at the end. */
  private static final int LINUX_INTERFACE_LENGTH = 15;

  private static final int WINDOWS_INTERFACE_LENGTH = 255;
  private static final int TEXT_LENGTH = 200;

  private Names() {}

  /** A text for comments: nothing that ends a line, moves the cursor or changes the direction of writing. */
  static void checkText(String setting, String text) {
    if (text.isBlank() || text.length() > TEXT_LENGTH) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE, setting, quoted(text), "not 1 to " + TEXT_LENGTH + " characters");
    }
    if (!text.codePoints().allMatch(Names::isPrintable)) {
      throw new ConfigurationException(
          ConfigurationError.NOT_READABLE, setting, quoted(text), "has characters that cannot be printed");
    }
  }

  /**
   * A name of an interface. Linux allows nearly every character, but the name goes into files of six formats; those of
   * real interfaces are harmless in all of them.
   */
  static void checkInterface(SetupFlavour flavour, String name) {
    boolean windows = flavour.operatingSystem() == OperatingSystem.WINDOWS;
    String reason = windows ? windowsFault(flavour, name) : linuxFault(name);
    if (!reason.isEmpty()) {
      throw new ConfigurationException(ConfigurationError.NOT_READABLE, "interface", quoted(name), reason);
    }
  }

  private static String linuxFault(String name) {
    if (name.isEmpty() || name.length() > LINUX_INTERFACE_LENGTH) {
      return "a Linux interface's name has 1 to " + LINUX_INTERFACE_LENGTH + " characters";
    }
    if (!name.matches("[A-Za-z0-9_][A-Za-z0-9._-]*")) {
      return "only letters, digits, '.', '_' and '-' are written into files";
    }
    return name.equals("lo") || name.equals("all") || name.equals("default")
        ? "is not the interface towards the balancer"
        : "";
  }

  /**
   * The second list is what a batch file would expand or read as syntax, quoted or not. It is read in the machine's own
   * code page, so that only ASCII stays what it is.
   */
  private static String windowsFault(SetupFlavour flavour, String name) {
    if (name.isBlank() || name.length() > WINDOWS_INTERFACE_LENGTH) {
      return "a Windows interface's name has 1 to " + WINDOWS_INTERFACE_LENGTH + " characters";
    }
    if (!name.codePoints().allMatch(Names::isPrintable) || holdsOneOf(name, "\\/:*?\"<>|")) {
      return "Windows allows no such name";
    }
    if (flavour == SetupFlavour.NETSH && (holdsOneOf(name, "%!^&") || !isAscii(name))) {
      return "a batch file cannot hold it safely; use the PowerShell script";
    }
    return "";
  }

  private static boolean isAscii(String text) {
    return text.chars().allMatch(character -> character < 0x80);
  }

  private static boolean holdsOneOf(String text, String characters) {
    return characters.chars().anyMatch(character -> text.indexOf(character) >= 0);
  }

  private static boolean isPrintable(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED -> false;
      default -> true;
    };
  }

  /** For messages: what cannot be printed shows as a question mark. */
  private static String quoted(String text) {
    StringBuilder shown = new StringBuilder("'");
    text.codePoints().limit(TEXT_LENGTH).forEach(c -> shown.appendCodePoint(isPrintable(c) ? c : '?'));
    return shown.append('\'').toString();
  }

  /** A word of a POSIX shell, whatever it holds. */
  static String shell(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }

  /**
   * A string of PowerShell. Windows PowerShell reads a script without byte order mark in the machine's own code page,
   * which makes other letters of all but ASCII, and quotes of some of them; so those are given by number.
   */
  static String powerShell(String text) {
    return isAscii(text)
        ? "'" + text.replace("'", "''") + "'"
        : text.chars().mapToObj(unit -> "0x%04X".formatted(unit))
            .collect(Collectors.joining(", ", "-join [char[]](", ")"));
  }
}
