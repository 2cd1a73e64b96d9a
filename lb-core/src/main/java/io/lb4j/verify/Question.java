package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.topology.Link;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A frame that is sent until it is answered, and what came because of it. Owned by the thread that verifies.
 *
 * <p>There are two kinds. One asks by ARP or neighbour discovery who has an address; the other sends a packet that has
 * a number for itself, its source port or echo identifier, by which answers are known again.
 */
final class Question {
  private static final int MOST_ANSWERS = 16;

  final Link link;
  final byte[] frame;
  final IpAddress source;
  final IpAddress target;
  final int number; // 0 for ARP and neighbour discovery
  final int protocol; // of IP; 0 for ARP
  final int port; // that is asked; 0 where there are none
  final long nonce; // of an echo request; the sequence number of a SYN
  final List<Answer> answers = new ArrayList<>();
  @Nullable Answer astray; // what was for us, and went to another MAC address
  byte @Nullable [] farewell; // a reset to follow a SYN with ACK, until it is sent

  private Question(
      Link link,
      byte[] frame,
      IpAddress source,
      IpAddress target,
      int number,
      int protocol,
      int port,
      long nonce) {
    this.link = link;
    this.frame = frame;
    this.source = source;
    this.target = target;
    this.number = number;
    this.protocol = protocol;
    this.port = port;
    this.nonce = nonce;
  }

  static Question whoHas(Link link, byte[] frame, IpAddress sender, IpAddress target) {
    return new Question(link, frame, sender, target, 0, 0, 0, 0);
  }

  static Question packet(
      Link link,
      byte[] frame,
      IpAddress source,
      IpAddress target,
      int number,
      int protocol,
      int port,
      long nonce) {
    return new Question(link, frame, source, target, number, protocol, port, nonce);
  }

  void add(Answer answer) {
    if (answers.size() < MOST_ANSWERS) {
      answers.add(answer);
    }
  }

  /** What was asked for, or an error about it, from whomever; null while there is none. */
  @Nullable Answer first(Answer.Aspect aspect) {
    return answers.stream().filter(answer -> answer.aspect() == aspect).findFirst().orElse(null);
  }

  @Nullable Answer reply() {
    return first(Answer.Aspect.REPLY);
  }

  boolean isReplied() {
    return reply() != null;
  }

  /** A reply that has the source which was asked. */
  boolean isRepliedRightly() {
    return answers.stream().anyMatch(a -> a.aspect() == Answer.Aspect.REPLY && a.source().equals(target));
  }

  /** A reply that has another source; null when there is none. */
  @Nullable Answer wrongSource() {
    return answers.stream()
        .filter(a -> a.aspect() == Answer.Aspect.REPLY && !a.source().equals(target))
        .findFirst()
        .orElse(null);
  }

  /** Whether the target itself has spoken: a reply, or an error of its own. */
  boolean isHeardFromTarget() {
    return answers.stream().anyMatch(a -> a.isSpoken() && a.source().equals(target));
  }

  Evidence asked() {
    return Evidence.of(answers.isEmpty() ? "unanswered" : "sent", link.name(), frame);
  }

  Evidence evidence(Answer answer) {
    return Evidence.of("received", link.name(), answer.frame());
  }
}
