package io.lb4j.examples.replay;

import io.lb4j.address.MacAddress;
import io.lb4j.core.LoadBalancer;
import io.lb4j.core.LoadBalancerBuilder;
import io.lb4j.core.Statistics;
import io.lb4j.dataplane.DataPath;
import io.lb4j.examples.CommandException;
import io.lb4j.examples.config.Configuration;
import io.lb4j.examples.config.ConfigurationFileException;
import io.lb4j.examples.config.InterfaceDeclaration;
import io.lb4j.neighbor.AnnouncementSettings;
import io.lb4j.service.Role;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Capture files through the data path of a configuration, frame by frame, with the captures' own clock. The same files
 * and seed give the same bytes. Owned by one thread.
 */
public final class Replay {
  /** The seed where neither the command line nor the file names one. */
  public static final long DEFAULT_SEED = 1;

  private final Configuration configuration;
  private final Settings settings;
  private final Consumer<String> warnings;

  /**
   * What is replayed, and where to. Immutable.
   *
   * @param in capture files, in the order that decides between equal times
   * @param out capture files to write
   * @param trace null for none
   * @param announce whether the balancer's own timed frames are sent
   * @param seed null for the file's, else {@link #DEFAULT_SEED}
   */
  public record Settings(
      List<InterfaceFile> in, List<InterfaceFile> out, Path trace, boolean announce, Long seed) {}

  /**
   * What came of it. Immutable.
   *
   * @param statistics after the last frame
   * @param frames that left, per interface in the order of declaration; the statistics know those only that the data
   *     path sent itself
   * @param bytes of those frames
   */
  public record Result(Statistics statistics, List<Long> frames, List<Long> bytes) {
    /**
     * Frames that left in all.
     *
     * @return their number
     */
    public long transmitted() {
      return frames.stream().mapToLong(Long::longValue).sum();
    }

    /**
     * Whether every frame ended in exactly one verdict.
     *
     * @return true unless the data path lost count
     */
    public boolean lawHolds() {
      long ended = statistics.verdicts().values().stream().mapToLong(Long::longValue).sum();
      return statistics.holds() && statistics.received() == ended && statistics.held() == 0;
    }
  }

  /**
   * A replay.
   *
   * @param configuration checked
   * @param settings files and options
   * @param warnings takes one line each
   */
  public Replay(Configuration configuration, Settings settings, Consumer<String> warnings) {
    this.configuration = configuration;
    this.settings = settings;
    this.warnings = warnings;
  }

  /**
   * Runs it.
   *
   * @return the counts
   * @throws IOException when a file cannot be opened, or written
   * @throws CommandException when a file is named for an interface that is not declared, or twice
   * @throws ConfigurationFileException when the configuration cannot be used
   */
  public Result run() throws IOException, CommandException, ConfigurationFileException {
    new ReplayFiles(configuration, settings).check();
    ReplayClock clock = new ReplayClock();
    LoadBalancerBuilder builder = builder(clock);
    try (LoadBalancer balancer = configuration.build(builder)) {
      return run(balancer, clock);
    }
  }

  private Result run(LoadBalancer balancer, ReplayClock clock) throws IOException {
    try (CaptureMerge merge = new CaptureMerge(warnings);
        OutputFiles outputs = new OutputFiles(configuration.interfaces().size());
        TraceFile trace = new TraceFile(settings.trace())) {
      for (InterfaceFile input : settings.in()) {
        merge.add(indexOf(input.name()), input.file());
      }
      for (InterfaceFile output : settings.out()) {
        outputs.add(indexOf(output.name()), output);
      }
      List<String> names = configuration.interfaces().stream().map(InterfaceDeclaration::name).toList();
      DataPath path = balancer.dataPath();
      ReplayRun run = new ReplayRun(path, clock, names, outputs, trace);
      run.process(merge);
      return new Result(balancer.statistics(), outputs.frames(), outputs.bytes());
    }
  }

  private LoadBalancerBuilder builder(ReplayClock clock) throws IOException, ConfigurationFileException {
    LoadBalancerBuilder builder = configuration.builder().workers(1);
    for (InterfaceDeclaration link : configuration.interfaces()) {
      builder.networkInterface(link.name(), options -> {
        options.mac(link.mac().map(MacAddress::toString).orElseThrow());
        options.hostStack(true); // as in `lb run`, where the kernel answers for the interface addresses
        options.address(link.addresses().toArray(String[]::new));
        return link.declare(options);
      });
    }
    new NeighborLearning(configuration)
        .learn(settings.in(), warnings)
        .forEach((address, mac) -> builder.neighbor(address.toString(), mac.toString()));
    builder.clock(clock).role(Role.ACTIVE); // a passive one would do nothing that is worth a look
    builder.announcements(settings.announce() ? configuration.announcements() : AnnouncementSettings.off());
    builder.seed(settings.seed() != null ? settings.seed() : configuration.seed().orElse(DEFAULT_SEED));
    return builder;
  }

  private int indexOf(String name) {
    return configuration.interfaces().stream().map(InterfaceDeclaration::name).toList().indexOf(name);
  }
}
