package io.lb4j.examples.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lb4j.examples.CommandException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The file of the socket: whose, where, and what is replaced. */
class SocketFileTest {
  private Path directory;
  private Path path;

  @BeforeEach
  void create() throws Exception {
    directory = Files.createTempDirectory("lb");
    path = directory.resolve("lb.sock");
  }

  @AfterEach
  void delete() throws Exception {
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).as("nothing else is left behind").allMatch(file -> file.equals(path));
    }
    Files.deleteIfExists(path);
    Files.delete(directory);
  }

  @Test
  void shouldBeTheOwnersAlone() throws Exception {
    try (SocketFile socket = SocketFile.open(path)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).isEqualTo("rw-------");
      assertThat(Files.getOwner(path)).isEqualTo(Files.getOwner(Path.of("/proc/self")));
      assertThat(socket.path()).isEqualTo(path.toRealPath());
      try (Stream<Path> files = Files.list(directory)) {
        assertThat(files).containsExactly(path);
      }
    }
    assertThat(Files.exists(path)).isFalse();
  }

  @Test
  void shouldReplaceTheSocketOfADeadProcess() throws Exception {
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(path));
    }
    assertThat(Files.exists(path)).isTrue();
    try (SocketFile socket = SocketFile.open(path);
        SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      assertThat(client.isConnected()).isTrue();
      assertThat(socket.channel().accept()).isNotNull();
    }
  }

  @Test
  void shouldLeaveALiveOneAlone() throws Exception {
    try (SocketFile socket = SocketFile.open(path)) {
      assertThatThrownBy(() -> SocketFile.open(path))
          .isInstanceOf(CommandException.class)
          .hasMessageContaining("another process has it");
      assertThat(socket.channel().isOpen()).isTrue();
      assertThat(Files.exists(path)).isTrue();
    }
  }

  @Test
  void shouldLeaveOtherFilesAlone() throws Exception {
    Files.writeString(path, "important");
    assertThatThrownBy(() -> SocketFile.open(path))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("no socket has this name");
    assertThat(Files.readString(path)).isEqualTo("important");
    Files.delete(path);
    Files.createSymbolicLink(path, Path.of("/dev/null"));
    assertThatThrownBy(() -> SocketFile.open(path)).isInstanceOf(CommandException.class);
  }

  /** They refuse connections as the socket of a dead process does; {@code /dev/null} is one of them. */
  @Test
  void shouldLeaveDevicesAndFifosAlone() throws Exception {
    assertThat(new ProcessBuilder("mkfifo", path.toString()).start().waitFor()).isZero();
    Object before = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    assertThatThrownBy(() -> SocketFile.open(path).close())
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("no socket has this name");
    assertThat(Files.readAttributes(path, BasicFileAttributes.class).fileKey()).isEqualTo(before);
  }

  @Test
  void shouldNotRemoveASocketThatTookItsPlace() throws Exception {
    SocketFile socket = SocketFile.open(path);
    Files.delete(path);
    try (SocketFile other = SocketFile.open(path)) {
      socket.close();
      assertThat(Files.exists(path)).isTrue();
      assertThat(other.channel().isOpen()).isTrue();
    }
  }

  @Test
  void shouldRefuseADirectoryThatOthersMayWriteTo() throws Exception {
    Path open = Files.createDirectory(directory.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(() -> SocketFile.open(open.resolve("lb.sock")))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("others may write");
    Files.delete(open);
    assertThatThrownBy(() -> SocketFile.open(directory.resolve("none").resolve("lb.sock")))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("no such directory");
  }

  @Test
  void shouldSayWhenThePathIsTooLong() {
    assertThatThrownBy(() -> SocketFile.open(directory.resolve("x".repeat(200))).close())
        .isInstanceOf(CommandException.class);
  }

  /** The name under which a socket is made may be longer than its own. */
  @Test
  void shouldSayHowLongAPathMayBeInItsDirectory() throws Exception {
    Path deep = Files.createDirectory(directory.resolve("d".repeat(95 - directory.toString().length() - 1)));
    Path wanted = deep.resolve("lb.sock");
    assertThat(wanted.toString()).hasSizeLessThan(107);
    assertThatThrownBy(() -> SocketFile.open(wanted).close())
        .isInstanceOf(CommandException.class)
        .hasMessageEndingWith("at most 98 bytes in this directory");
    Files.delete(deep);
  }

  @Test
  void shouldAdmitTheSameUserAndRootByTheKernelsWord() throws Exception {
    UserPrincipal own = Files.getOwner(Path.of("/proc/self"));
    UserPrincipal nobody = FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName("nobody");
    try (SocketFile socket = SocketFile.open(path);
        SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path));
        SocketChannel accepted = socket.channel().accept()) {
      assertThat(new Peers(own).admit(accepted)).isTrue();
      assertThat(new Peers(own).admit(client)).isTrue();
      assertThat(new Peers(nobody).admit(accepted)).isEqualTo(own.getName().equals("root"));
    }
  }
}
