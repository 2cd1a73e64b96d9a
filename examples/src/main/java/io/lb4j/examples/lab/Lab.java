package io.lb4j.examples.lab;

import io.lb4j.pcap.live.LiveIo;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A network of namespaces that stands until it is closed, or until this JVM ends. Hosts are called {@code cl}, {@code
 * rt}, {@code sw}, {@code lb}, {@code s1}, {@code s2} and so on. Needs root on Linux, see {@link #obstacle()}. Safe
 * from any thread.
 *
 * <pre>
 *  direct server return
 *  cl 198.51.100.10-17 ---- rt ---- switch 192.0.2.0/24 ---- lb .5, s1 .11, s2 .12 ...   virtual address .100
 *     2001:db8:c::10-17             2001:db8:5::/64           lb ::5, s1 ::11, ...       virtual address ::100
 *
 *  gateway
 *  cl 198.51.100.10-17 ---+-- switch ---- .5 lb .5 ---- switch ---- s1 192.0.2.11 ...    virtual address
 *     2001:db8:c::10-17   |                ::5  ::5                    2001:db8:5::11    198.51.100.100,
 *  out 203.0.113.10 -- rt +  single arm: both are one switch, and one interface of lb    2001:db8:c::100
 *      2001:db8:f::10
 * </pre>
 */
public final class Lab implements AutoCloseable {
  /** The virtual IPv4 address of direct server return. */
  public static final String VIP4 = "192.0.2.100";
  /** The virtual IPv6 address of direct server return. */
  public static final String VIP6 = "2001:db8:5::100";
  /** The client's IPv4 addresses. */
  public static final List<String> CLIENTS4 = addresses("198.51.100.");
  /** The client's IPv6 addresses. */
  public static final List<String> CLIENTS6 = addresses("2001:db8:c::");

  /** The IPv4 address of the host {@code out}, which only the gateway's networks have. */
  public static final String OUTSIDE4 = "203.0.113.10";
  /** The IPv6 address of the host {@code out}. */
  public static final String OUTSIDE6 = "2001:db8:f::10";

  /** What servers but s1 are translated to, in the gateway's networks. */
  public static final String POOL4 = "198.51.100.200";
  /** The same for IPv6. */
  public static final String POOL6 = "2001:db8:c::200";

  /** What servers see instead of an IPv4 client, where the balancer does full NAT. */
  public static final String FULL_NAT4 = "192.0.2.200";
  /** The same for IPv6. */
  public static final String FULL_NAT6 = "2001:db8:5::200";

  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final String prefix;
  private final LabTopology topology;
  private final LabIo io;
  private final Path directory;
  private final Deque<String> hosts = new ArrayDeque<>(); // guarded by this
  private final List<String[]> devices = new ArrayList<>(); // of hosts; guarded by this
  private final Deque<LabProcess> processes = new ArrayDeque<>(); // guarded by this
  private final Thread closer = new Thread(this::tearDown, "lab-closer");
  private boolean closed; // guarded by this

  private Lab(String prefix, LabTopology topology, LabIo io, Path directory) {
    this.prefix = prefix;
    this.topology = topology;
    this.io = io;
    this.directory = directory;
  }

  private static List<String> addresses(String network) {
    return Stream.of(10, 11, 12, 13, 14, 15, 16, 17).map(last -> network + last).toList();
  }

  /**
   * Why no lab can be built here.
   *
   * @return a sentence without a full stop; empty when one can be built
   */
  public static Optional<String> obstacle() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return Optional.of("network namespaces need Linux");
    }
    if (!"root".equals(System.getProperty("user.name"))) {
      return Optional.of("network namespaces need root");
    }
    for (String program : List.of("ip", "ethtool", "sh", "kill")) {
      if (!installed(program)) {
        return Optional.of("the program '" + program + "' is missing");
      }
    }
    String probe = "lb4j-probe-" + ProcessHandle.current().pid();
    Outcome made = Outcome.of(LIMIT, List.of("ip", "netns", "add", probe));
    if (!made.ok()) {
      return Optional.of("no namespace can be made: " + made.output().strip());
    }
    Outcome.of(LIMIT, List.of("ip", "netns", "del", probe));
    return Optional.empty();
  }

  /**
   * Whether a program is installed.
   *
   * @param program its name
   * @return whether it is in a directory of PATH, or in /usr/sbin or /sbin
   */
  public static boolean installed(String program) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
    return Stream.of(path.split(":")).anyMatch(directory -> new File(directory, program).canExecute());
  }

  /**
   * Builds a lab and starts its servers.
   *
   * @param stem begins the namespaces' names; the id of this process follows
   * @param topology how the hosts are joined
   * @param io how balancers will exchange frames
   * @param servers how many real servers
   * @return the lab; the caller closes it
   * @throws IllegalStateException when a command fails; what was built is removed
   */
  public static Lab up(String stem, LabTopology topology, LabIo io, int servers) {
    String prefix = stem + "-" + ProcessHandle.current().pid() + "-";
    Lab lab;
    try {
      lab = new Lab(prefix, topology, io, Files.createTempDirectory("lb4j-lab"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Runtime.getRuntime().addShutdownHook(lab.closer);
    try {
      LabNetwork.of(lab).build(servers);
      lab.startServers(servers);
      return lab;
    } catch (RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  /**
   * Adds a real server to the network and starts its services.
   *
   * @param number the last free number: 4 in a lab of three servers
   */
  public void addServer(int number) {
    LabNetwork.of(this).server(number);
    new LabServers(this).start(number).run();
  }

  /** Adds the host {@code lb2} for a second balancer, on the same wires as {@code lb} with the next addresses. */
  public void addBalancer() {
    LabNetwork.of(this).secondBalancer();
  }

  /** Starts all, then waits for them, so that they start side by side. */
  private void startServers(int servers) {
    LabServers starter = new LabServers(this);
    List<Runnable> waits = new ArrayList<>();
    for (int i = 1; i <= servers; i++) {
      waits.add(starter.start(i));
    }
    if (topology.isGateway()) {
      waits.add(starter.startOutside());
    }
    waits.forEach(Runnable::run);
  }

  /**
   * How the hosts are joined.
   *
   * @return what the lab was built with
   */
  public LabTopology topology() {
    return topology;
  }

  /**
   * How balancers exchange frames.
   *
   * @return what the lab was built with
   */
  public LabIo io() {
    return io;
  }

  /**
   * Where tcpdump sees what a host's interface exchanges: on it, or, since AF_XDP takes and sends frames beside all who
   * look on there, at the other end of its cable.
   *
   * @param host whose
   * @param device its interface, which is on a switch where the host is a balancer's
   * @return the host and device to look on
   */
  public List<String> tap(String host, String device) {
    boolean there = host.startsWith("lb") && io.io() == LiveIo.XDP;
    return there ? List.of("sw", LabNetwork.switchPort(host, device)) : List.of(host, device);
  }

  /**
   * Switches all hosts' offloads that are about frames between hosts without a wire.
   *
   * @param on whether frames may be as their sender's kernel left them
   */
  public synchronized void offloads(boolean on) {
    devices.forEach(device -> LabNetwork.offloads(this, device[0], device[1], on));
  }

  synchronized void addDevice(String host, String device) {
    devices.add(new String[] {host, device});
  }

  /**
   * A server's IPv4 address.
   *
   * @param number 1 or more
   * @return for example 192.0.2.11
   */
  public static String server4(int number) {
    return "192.0.2." + (10 + number);
  }

  /**
   * A server's IPv6 address.
   *
   * @param number 1 or more
   * @return for example 2001:db8:5::11
   */
  public static String server6(int number) {
    return "2001:db8:5::" + (10 + number);
  }

  /**
   * The system's name of a namespace.
   *
   * @param host the lab's name of it
   * @return with the lab's prefix
   */
  public String namespace(String host) {
    return prefix + host;
  }

  /**
   * Where the lab keeps its files.
   *
   * @return a directory that is removed at closing
   */
  public Path directory() {
    return directory;
  }

  /**
   * Runs a command in a namespace, to its end.
   *
   * @param host the namespace
   * @param command program and arguments
   * @return status and output
   */
  public Outcome exec(String host, String... command) {
    return exec(host, LIMIT, List.of(command));
  }

  /**
   * Runs a command in a namespace, to its end.
   *
   * @param host the namespace
   * @param limit the time it may take
   * @param command program and arguments
   * @return status and output
   */
  public Outcome exec(String host, Duration limit, List<String> command) {
    requireOpen();
    return Outcome.of(limit, inNamespace(host, command));
  }

  /**
   * Runs a command in a namespace, which must succeed.
   *
   * @param host the namespace
   * @param command program and arguments
   * @return its output
   * @throws IllegalStateException when it fails
   */
  public String must(String host, String... command) {
    Outcome outcome = exec(host, command);
    if (!outcome.ok()) {
      throw new IllegalStateException(String.join(" ", command) + " in " + host + ": " + outcome.output());
    }
    return outcome.output();
  }

  /** Runs {@code ip} outside the namespaces. */
  void ip(String... arguments) {
    requireOpen();
    List<String> command = new ArrayList<>(List.of("ip"));
    Collections.addAll(command, arguments);
    Outcome outcome = Outcome.of(LIMIT, command);
    if (!outcome.ok()) {
      throw new IllegalStateException(String.join(" ", command) + ": " + outcome.output());
    }
  }

  synchronized void addNamespace(String host) {
    ip("netns", "add", namespace(host));
    hosts.push(host);
  }

  /**
   * Takes a host off the network, as if it had lost its power: nothing answers for it any more.
   *
   * @param host the namespace
   */
  public void cutOff(String host) {
    must("sw", "ip", "link", "set", host, "down");
  }

  /**
   * Starts a process in a namespace.
   *
   * @param host the namespace
   * @param name names the file of its output
   * @param command program and arguments
   * @return the process, ended with the lab at the latest
   */
  public synchronized LabProcess spawn(String host, String name, List<String> command) {
    requireOpen();
    LabProcess process = LabProcess.start(directory.resolve(host + "-" + name + ".log"), inNamespace(host, command));
    processes.push(process);
    return process;
  }

  /**
   * Runs one of the lab's Java programs in a namespace, to its end.
   *
   * @param host the namespace
   * @param program its main class
   * @param arguments its arguments
   * @return status and output
   */
  public Outcome java(String host, Class<?> program, String... arguments) {
    return exec(host, LIMIT, javaCommand(program, arguments));
  }

  /**
   * Starts one of the lab's Java programs in a namespace.
   *
   * @param host the namespace
   * @param name names the file of its output
   * @param program its main class
   * @param arguments its arguments
   * @return the process
   */
  public LabProcess spawnJava(String host, String name, Class<?> program, String... arguments) {
    return spawn(host, name, javaCommand(program, arguments));
  }

  private static List<String> javaCommand(Class<?> program, String... arguments) {
    List<String> command = new ArrayList<>(LabProcess.java(program.getName()));
    Collections.addAll(command, arguments);
    return command;
  }

  private List<String> inNamespace(String host, List<String> command) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace(host)));
    all.addAll(command);
    return all;
  }

  private synchronized void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the lab is closed");
    }
  }

  static void pause(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Ends what runs in the lab and removes it. Closing twice is harmless. */
  @Override
  public void close() {
    tearDown();
    try {
      Runtime.getRuntime().removeShutdownHook(closer);
    } catch (IllegalStateException e) {
      // this JVM is ending, and the hook does what was done here
    }
  }

  private synchronized void tearDown() {
    if (closed) {
      return;
    }
    closed = true;
    processes.forEach(LabProcess::askToEnd);
    processes.forEach(LabProcess::close);
    hosts.forEach(this::remove);
    deleteFiles();
  }

  /** A program may have left children behind; whoever lives in this namespace was started by this lab. */
  private void remove(String host) {
    Outcome.of(LIMIT, List.of("ip", "netns", "pids", namespace(host))).output().lines()
        .filter(line -> line.matches("[0-9]+"))
        .forEach(pid -> ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly));
    Outcome.of(LIMIT, List.of("ip", "netns", "del", namespace(host)));
  }

  private void deleteFiles() {
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
