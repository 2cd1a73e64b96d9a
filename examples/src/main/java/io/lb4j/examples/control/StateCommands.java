package io.lb4j.examples.control;

import io.lb4j.core.LoadBalancer;
import io.lb4j.examples.CommandException;
import io.lb4j.examples.report.StateReport;
import io.lb4j.state.RestoreReport;
import io.lb4j.state.SaveReport;
import io.lb4j.state.StateStreamException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;

/**
 * {@code save} and {@code restore}: flows and clients, as bytes that the client keeps. Owned by the control thread.
 */
final class StateCommands {
  private final LoadBalancer balancer;

  StateCommands(LoadBalancer balancer) {
    this.balancer = balancer;
  }

  void addTo(Commands commands) {
    commands.add("save", this::save, "used-within");
    commands.add("restore", this::restore);
  }

  private Reply save(Request request, Exchange exchange) throws CommandException, IOException {
    Optional<Duration> within = request.duration("used-within");
    OutputStream out = exchange.download();
    SaveReport report = within.isPresent() ? balancer.saveState(out, within.get()) : balancer.saveState(out);
    out.flush();
    return new Reply(StateReport.tree(report), StateReport.text(report) + "\n");
  }

  private Reply restore(Request request, Exchange exchange) throws CommandException, IOException {
    try {
      InputStream in = exchange.upload();
      RestoreReport report = balancer.restoreState(in);
      if (in.read() >= 0) {
        throw new CommandException("restored, but there are bytes behind the end");
      }
      return new Reply(StateReport.tree(report), StateReport.text(report) + "\n");
    } catch (StateStreamException e) {
      throw new CommandException(e.getMessage());
    }
  }
}
