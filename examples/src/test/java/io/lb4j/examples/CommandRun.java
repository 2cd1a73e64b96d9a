package io.lb4j.examples;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** One run of the command line in this process: exit code and what was printed. */
public record CommandRun(int exit, String out, String err) {
  /** Runs {@code lb} with these arguments. */
  public static CommandRun lb(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] texts = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      texts[i] = args[i].toString();
    }
    CommandLine line = Lb.commandLine(texts);
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return new CommandRun(line.execute(texts), out.toString(), err.toString());
  }
}
