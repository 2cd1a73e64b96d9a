package io.lb4j.examples.control;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import jdk.net.ExtendedSocketOptions;

/** Who may be at the other end of a control socket: the same user, and root. Immutable, shared. */
final class Peers {
  private final UserPrincipal own;
  private final UserPrincipal root;

  /** The user of this process, and root. */
  static Peers ofThisProcess() throws IOException {
    return new Peers(Files.getOwner(Path.of("/proc/self")));
  }

  /** A user, and root. */
  Peers(UserPrincipal own) throws IOException {
    this.own = own;
    this.root = FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName("root");
  }

  /** Whether the process at the other end may be there: by what the kernel says, not by what it says itself. */
  boolean admit(SocketChannel channel) throws IOException {
    return admits(channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user());
  }

  /** Whether there is nobody but root. */
  boolean areRoot() {
    return own.equals(root);
  }

  boolean admits(UserPrincipal user) {
    return user.equals(own) || user.equals(root);
  }
}
