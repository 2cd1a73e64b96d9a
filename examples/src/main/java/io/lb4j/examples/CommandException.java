package io.lb4j.examples;

/** A command that cannot go on for a reason the user can change: one clear message, exit code 2. */
public final class CommandException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * A refusal.
   *
   * @param message what is wrong and what to do, one line
   */
  public CommandException(String message) {
    super(message);
  }
}
