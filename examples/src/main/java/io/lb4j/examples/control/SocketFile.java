package io.lb4j.examples.control;

import io.lb4j.examples.CommandException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Locale;
import java.util.Set;

/**
 * The file of a Unix-domain socket that only its owner can reach. The socket is bound in a directory of its own that
 * nobody else may enter, gets its mode there, and only then its name: there is no moment at which others could connect.
 * Owned by one thread.
 */
final class SocketFile implements AutoCloseable {
  private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rwx------");
  private static final int STICKY = 01000;
  private static final int WRITABLE_BY_OTHERS = 0022;
  private static final int BACKLOG = 16;

  /** Bits of a file's mode that tell its type, and the type of sockets (inode(7)). */
  private static final int TYPE = 0170000;
  private static final int SOCKET = 0140000;

  /** The room of {@code sun_path}, without its end. */
  private static final int LONGEST_PATH = 107;

  /** The name under which the socket is made in its directory, in bytes. */
  private static final int FIRST_NAME = ".lb4j-00000000/s".length();

  private final Path path;
  private final ServerSocketChannel channel;
  private final Object key;

  private SocketFile(Path path, ServerSocketChannel channel) throws IOException {
    this.path = path;
    this.channel = channel;
    this.key = key(path);
  }

  /**
   * Creates the socket. One that a dead process left is replaced.
   *
   * @param wanted its path
   * @return open
   * @throws CommandException when a live process has it, something else has its name, or others could replace it
   * @throws IOException when the system refuses
   */
  static SocketFile open(Path wanted) throws CommandException, IOException {
    Path directory = directory(wanted);
    Path path = directory.resolve(wanted.getFileName());
    int most = LONGEST_PATH - Math.max(FIRST_NAME - bytes(path.getFileName()), 0);
    if (bytes(path) > most) {
      throw new CommandException(
          "control socket " + path + ": the path of a socket has at most " + most + " bytes in this directory");
    }
    refuseOthers(path);
    Path closed = closedDirectory(directory);
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.bind(UnixDomainSocketAddress.of(closed.resolve("s")), BACKLOG);
      Files.setPosixFilePermissions(closed.resolve("s"), OWNER_ONLY);
      Files.move(closed.resolve("s"), path, StandardCopyOption.ATOMIC_MOVE);
      return new SocketFile(path, channel);
    } catch (SocketException e) {
      channel.close();
      throw new CommandException("control socket " + path + ": " + e.getMessage());
    } catch (IOException e) {
      channel.close();
      throw e;
    } finally {
      Files.deleteIfExists(closed.resolve("s"));
      Files.delete(closed);
    }
  }

  private static int bytes(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8).length;
  }

  /** A new directory that only we may enter; its short name cannot be guessed, so nobody is there before us. */
  private static Path closedDirectory(Path directory) throws IOException {
    String name = String.format(Locale.ROOT, ".lb4j-%08x", new SecureRandom().nextInt());
    return Files.createDirectory(directory.resolve(name), PosixFilePermissions.asFileAttribute(PRIVATE));
  }

  /** The directory without links, if others cannot put another socket into it. */
  private static Path directory(Path wanted) throws CommandException, IOException {
    Path parent = wanted.toAbsolutePath().getParent();
    if (wanted.getFileName() == null || parent == null || !Files.isDirectory(parent)) {
      throw new CommandException("control socket " + wanted + ": there is no such directory; create it first");
    }
    Path directory = parent.toRealPath();
    int mode = (Integer) Files.getAttribute(directory, "unix:mode");
    boolean othersWrite = (mode & WRITABLE_BY_OTHERS) != 0 && (mode & STICKY) == 0;
    if (othersWrite || !Peers.ofThisProcess().admits(Files.getOwner(directory))) {
      throw new CommandException(
          "control socket " + wanted + ": others may write to " + directory + " and replace the socket; choose a "
              + "directory that only you or root may write to");
    }
    return directory;
  }

  /** Nothing, or the socket of a dead process. */
  private static void refuseOthers(Path path) throws CommandException, IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    if ((mode & TYPE) != SOCKET) { // a device or FIFO refuses connections as a dead socket does
      throw new CommandException(
          "control socket " + path + ": a file that is no socket has this name; name another one with --control");
    }
    if (isAnswered(path)) {
      throw new CommandException(
          "control socket " + path + ": another process has it; name another one with --control");
    }
  }

  /** Whether a process has the socket; not when whoever had it is gone. */
  private static boolean isAnswered(Path path) throws CommandException, IOException {
    try (SocketChannel other = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      return other.isConnected();
    } catch (ConnectException e) {
      return false;
    } catch (SocketException e) {
      throw new CommandException(
          "control socket " + path + ": it is there already, and whether a process has it cannot be found out: "
              + e.getMessage() + "; name another one with --control");
    }
  }

  private static Object key(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
  }

  ServerSocketChannel channel() {
    return channel;
  }

  Path path() {
    return path;
  }

  /** Removes the file, unless another one has its name by now. */
  @Override
  public void close() throws IOException {
    channel.close();
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && key.equals(key(path))) {
      Files.delete(path);
    }
  }
}
