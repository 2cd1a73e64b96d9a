package io.lb4j.examples.replay;

import io.lb4j.examples.CommandException;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.pcap.CaptureFormat;
import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks files and interfaces before a replay opens, or overwrites, anything. Owned by one thread. */
final class ReplayFiles {
  private final Configuration configuration;
  private final Replay.Settings settings;

  ReplayFiles(Configuration configuration, Replay.Settings settings) {
    this.configuration = configuration;
    this.settings = settings;
  }

  void check() throws CommandException, ConfigurationFileException {
    for (InterfaceDeclaration link : configuration.interfaces()) {
      if (link.mac().isEmpty()) {
        throw configuration.refused(new ConfigurationException(
            ConfigurationError.MISSING, "interface " + link.name() + ": mac", "none", "a replay needs it"));
      }
    }
    Set<Path> inputs = new HashSet<>();
    inputs.add(real(Path.of(configuration.file())));
    for (InterfaceFile input : settings.in()) {
      requireDeclared("--in", input);
      inputs.add(real(input.file()));
    }
    checkOutputs(inputs);
  }

  private void checkOutputs(Set<Path> inputs) throws CommandException {
    Set<String> names = new HashSet<>();
    Map<Path, String> outputs = new HashMap<>();
    for (InterfaceFile output : settings.out()) {
      requireDeclared("--out", output);
      if (!names.add(output.name())) {
        throw new CommandException("--out " + output.name() + ": named twice; give each interface one file");
      }
      if (inputs.contains(real(output.file()))) {
        throw new CommandException("--out " + output.file() + ": is an input; name another file");
      }
      String other = outputs.put(real(output.file()), output.name());
      if (other != null && OutputFiles.formatOf(output.file()) != CaptureFormat.PCAPNG) {
        throw new CommandException(
            "--out " + output.file() + ": a pcap file holds one interface; name a .pcapng file for several");
      }
    }
    Path trace = settings.trace() == null ? null : real(settings.trace());
    if (trace != null && (inputs.contains(trace) || outputs.containsKey(trace))) {
      throw new CommandException("--trace " + settings.trace() + ": is an input or output; name another file");
    }
  }

  private void requireDeclared(String option, InterfaceFile file) throws CommandException {
    List<String> names = configuration.interfaces().stream().map(InterfaceDeclaration::name).toList();
    if (!names.contains(file.name())) {
      throw new CommandException(
          option + " " + file.name() + ": " + configuration.file() + " declares no such interface, but "
              + String.join(", ", names));
    }
  }

  /** The one name of a file, which may not be there yet, however it was reached. */
  static Path real(Path file) {
    Path absolute = file.toAbsolutePath();
    try {
      return Files.exists(file) ? file.toRealPath() : absolute.getParent().toRealPath().resolve(absolute.getFileName());
    } catch (IOException e) {
      return absolute.normalize();
    }
  }
}
