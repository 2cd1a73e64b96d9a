package io.lb4j.health;

import io.lb4j.monitor.HttpCheck;
import io.lb4j.monitor.ProbeReason;
import io.lb4j.monitor.ProbeResult;
import io.lb4j.monitor.ProbeTarget;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * One HTTP/1.1 request and as much of the answer as has to be seen (RFC 9112). Bounded in bytes and in time: the head
 * of the answer by {@value #HEAD_LIMIT} bytes, its body by {@link HttpCheck#BODY_LIMIT}, and each read by what is left
 * of the probe's time. Owned by one probe's thread.
 */
final class HttpExchange {
  private static final int HEAD_LIMIT = 16 * 1024;
  private static final int LONGEST_LINE = 8 * 1024;
  private static final int BUFFER = 8 * 1024;

  private final HttpCheck check;
  private final ProbeTarget target;
  private final Socket socket;
  private final Deadline deadline;
  private final byte[] buffer = new byte[BUFFER];
  private InputStream in;
  private int next;
  private int end;
  private int headBytes;
  private long contentLength = -1;
  private boolean chunked;

  /** The answer is not HTTP. */
  private static final class NotHttp extends IOException {
    private static final long serialVersionUID = 1L;

    NotHttp(String message) {
      super(message);
    }
  }

  HttpExchange(HttpCheck check, ProbeTarget target, Socket socket, Deadline deadline) {
    this.check = check;
    this.target = target;
    this.socket = socket;
    this.deadline = deadline;
  }

  ProbeResult result() throws IOException {
    in = socket.getInputStream();
    socket.getOutputStream().write(request().getBytes(StandardCharsets.US_ASCII));
    try {
      int status = readHead();
      while (status < 200 && status != 101) { // interim answers (RFC 9110, section 15.2)
        status = readHead();
      }
      if (!check.accepts(status)) {
        return ProbeResult.failed(ProbeReason.WRONG_ANSWER, "status " + status);
      }
      return check.text().isEmpty() || bodyHasText() ? ProbeResult.answered(deadline.elapsedNs()) : withoutText();
    } catch (NotHttp e) {
      return ProbeResult.failed(ProbeReason.WRONG_ANSWER, e.getMessage());
    }
  }

  private static ProbeResult withoutText() {
    return ProbeResult.failed(
        ProbeReason.WRONG_ANSWER, "the expected text is not in the body's first " + HttpCheck.BODY_LIMIT + " bytes");
  }

  private String request() {
    String address = target.address().toString();
    String authority = (target.address().isV6() ? "[" + address + "]" : address) + ":" + target.port();
    return (check.head() ? "HEAD " : "GET ") + check.path() + " HTTP/1.1\r\n"
        + "Host: " + check.host().orElse(authority) + "\r\n"
        + "User-Agent: lb4j\r\n"
        + "Accept: */*\r\n"
        + "Connection: close\r\n\r\n";
  }

  // ---- the head ------------------------------------------------------------------------------------------------

  private int readHead() throws IOException {
    contentLength = -1;
    chunked = false;
    String line = headLine();
    if (!line.matches("HTTP/1\\.[0-9] [1-5][0-9][0-9]( .*)?")) {
      throw new NotHttp("not an HTTP/1 answer");
    }
    for (String field = headLine(); !field.isEmpty(); field = headLine()) {
      onField(field.toLowerCase(Locale.ROOT));
    }
    return Integer.parseInt(line.substring(9, 12));
  }

  private String headLine() throws IOException {
    String line = line();
    headBytes += line.length() + 2;
    if (headBytes > HEAD_LIMIT) {
      throw new NotHttp("the head is longer than " + HEAD_LIMIT + " bytes");
    }
    return line;
  }

  private void onField(String field) throws NotHttp {
    int colon = field.indexOf(':');
    String value = field.substring(colon + 1).trim();
    if (field.startsWith("transfer-encoding:")) {
      chunked = value.endsWith("chunked");
    } else if (field.startsWith("content-length:")) {
      if (!value.matches("[0-9]{1,18}")) {
        throw new NotHttp("a content length that is no number");
      }
      contentLength = Long.parseLong(value);
    }
  }

  // ---- the body ------------------------------------------------------------------------------------------------

  /** Looks as it comes, so that an endless body is a success as soon as the text was in it. */
  private boolean bodyHasText() throws IOException {
    byte[] text = check.text().getBytes(StandardCharsets.UTF_8);
    byte[] seen = new byte[0]; // the last bytes before, in which the text may have begun
    long left = chunked ? nextChunk() : contentLength;
    for (int length = 0; length < HttpCheck.BODY_LIMIT && left != 0; ) {
      byte[] piece = piece(left < 0 ? BUFFER : left);
      if (piece.length == 0 && left > 0) {
        throw new EOFException("the connection ended before the body did");
      }
      if (piece.length == 0) {
        return false;
      }
      byte[] both = Arrays.copyOf(seen, seen.length + piece.length);
      System.arraycopy(piece, 0, both, seen.length, piece.length);
      if (ByteSearch.find(both, both.length, text) >= 0) {
        return true;
      }
      seen = Arrays.copyOfRange(both, Math.max(0, both.length - text.length + 1), both.length);
      length += piece.length;
      left -= left < 0 ? 0 : piece.length;
      if (left == 0 && chunked) {
        line();
        left = nextChunk();
      }
    }
    return false;
  }

  /** The length of the next chunk (RFC 9112, section 7.1); 0 at the end. */
  private long nextChunk() throws IOException {
    String size = line().replaceFirst("[ \t]*(;.*)?$", "");
    if (!size.matches("[0-9A-Fa-f]{1,15}")) {
      throw new NotHttp("a chunk without a length");
    }
    return Long.parseLong(size, 16);
  }

  // ---- bytes ---------------------------------------------------------------------------------------------------

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = octet(); c != '\n'; c = octet()) {
      line.append((char) c);
      if (line.length() > LONGEST_LINE) {
        throw new NotHttp("a line of more than " + LONGEST_LINE + " bytes");
      }
    }
    int length = line.length();
    return length > 0 && line.charAt(length - 1) == '\r' ? line.substring(0, length - 1) : line.toString();
  }

  private int octet() throws IOException {
    if (next == end && !fill()) {
      throw new EOFException("the connection ended before the answer did");
    }
    return buffer[next++] & 0xFF;
  }

  /** What has come, at least one byte and not more than asked for; nothing at the end. */
  private byte[] piece(long most) throws IOException {
    if (next == end && !fill()) {
      return new byte[0];
    }
    int from = next;
    next += (int) Math.min(most, end - next);
    return Arrays.copyOfRange(buffer, from, next);
  }

  private boolean fill() throws IOException {
    socket.setSoTimeout(deadline.remainingMillis());
    int got = in.read(buffer);
    next = 0;
    end = Math.max(0, got);
    return got > 0;
  }
}
