package io.lb4j.verify;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameBatch;
import io.lb4j.frame.FrameKind;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameParser;
import io.lb4j.frame.FrameView;
import io.lb4j.port.PortQueue;
import io.lb4j.topology.Link;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Asks questions on all links and hears what comes, at most {@value #TRIES} times each. Owned by the thread that
 * verifies. What it remembers is bounded by the questions; all other traffic is looked at and forgotten.
 */
final class Wire {
  /** How often a frame is sent that nobody answers. */
  static final int TRIES = 3;

  private static final long RETRY_NS = 250_000_000L;
  private static final long WAIT_NS = 500_000L;
  private static final int BURST = 16;
  private static final int LONGEST_FRAME = 65_535 + 22;

  private final List<VerifiedLink> links;
  private final LongSupplier nanoTime;
  private final ByteBuf out = Unpooled.directBuffer(2048, LONGEST_FRAME);
  private final FrameBatch batch = new FrameBatch();
  private final Map<Integer, Question> numbered = new HashMap<>();
  private final Neighborhood neighborhood;
  private long refused;

  Wire(List<VerifiedLink> links, Neighborhood neighborhood, LongSupplier nanoTime) {
    this.links = links;
    this.neighborhood = neighborhood;
    this.nanoTime = nanoTime;
  }

  /** Asks everything side by side, until all is answered that needs an answer, or time is over. */
  void ask(List<Question> questions) {
    if (questions.isEmpty()) {
      return;
    }
    numbered.clear();
    questions.forEach(this::expect);
    for (int i = 0; i < TRIES; i++) {
      long untilNs = nanoTime.getAsLong() + RETRY_NS;
      send(questions.stream().filter(question -> question.answers.isEmpty()).toList());
      while (nanoTime.getAsLong() - untilNs < 0) {
        hearOrWait();
      }
    }
  }

  private void expect(Question question) {
    if (question.number != 0) {
      numbered.put(question.number, question);
    }
  }

  /** A few at a time, so that answers do not all come at once. */
  private void send(List<Question> questions) {
    int sent = 0;
    for (Question question : questions) {
      transmit(question.link.index(), question.frame);
      if (++sent % BURST == 0) {
        hear();
      }
    }
  }

  private void transmit(int link, byte[] frame) {
    out.clear().writeBytes(frame);
    PortQueue queue = links.get(link).port().queue(0);
    boolean taken = queue.transmit(out, 0, frame.length, FrameMarks.NONE);
    if (!taken || queue.flush() > 0) {
      refused++;
    }
  }

  /** How many frames an interface refused. */
  long refused() {
    return refused;
  }

  private void hearOrWait() {
    if (!hear()) {
      for (VerifiedLink link : links) {
        link.port().queue(0).await(WAIT_NS);
      }
    }
  }

  /** Reads what waits on all interfaces; answers whether there was anything. */
  private boolean hear() {
    boolean any = false;
    for (int link = 0; link < links.size(); link++) {
      for (int queue = 0; queue < links.get(link).port().queues(); queue++) {
        any |= hear(link, links.get(link).port().queue(queue));
      }
    }
    return any;
  }

  private boolean hear(int link, PortQueue queue) {
    batch.clear();
    int count = queue.receive(batch, link);
    List<byte[]> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      FrameView view = batch.get(i);
      if (FrameParser.parse(view) != FrameKind.MALFORMED) {
        onFrame(view, answers);
      }
    }
    queue.release();
    answers.forEach(frame -> transmit(link, frame));
    return count > 0;
  }

  private void onFrame(FrameView view, List<byte[]> out) {
    Link link = links.get(view.ingress()).link();
    if (view.sourceMac() == link.mac().value()) {
      return;
    }
    byte[] answer = neighborhood.onFrame(view);
    if (answer != null) {
      out.add(answer);
    }
    Question question = numbered.get(Recognition.number(view));
    Answer.Aspect aspect = question == null ? null : Recognition.aspect(view, question);
    if (aspect == null) {
      return;
    }
    IpAddress source = IpAddress.of(view.isV6(), view.sourceHigh(), view.sourceLow());
    if (view.destinationMac() != link.mac().value()) {
      question.astray = Answer.of(aspect, view, source); // a switch that floods has let us see it
      return;
    }
    question.add(Answer.of(aspect, view, source));
    if (question.farewell != null && aspect == Answer.Aspect.REPLY && Recognition.opens(view)) {
      out.add(question.farewell);
      question.farewell = null;
    }
  }

  void close() {
    out.release();
  }
}
