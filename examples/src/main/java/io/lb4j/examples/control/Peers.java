package io.lb4j.examples.control;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.attribute.UserPrincipal;
import jdk.net.ExtendedSocketOptions;

/** Who may be at the other end of a control socket: the same user, and root. Immutable, shared. */
final class Peers {
  private final UserPrincipal own;
  private final UserPrincipal root;

  /**
   * The usual two.
   *
   * @param own whose process this is
   * @throws IOException when the system has no users
   */
  Peers(UserPrincipal own) throws IOException {
    this.own = own;
    this.root = FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName("root");
  }

  /** Whether the process at the other end may be there: by what the kernel says, not by what it says itself. */
  boolean admit(SocketChannel channel) throws IOException {
    UserPrincipal peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
    return peer.equals(own) || peer.equals(root);
  }
}
