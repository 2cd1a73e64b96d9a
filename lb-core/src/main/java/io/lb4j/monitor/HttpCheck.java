package io.lb4j.monitor;

import io.lb4j.settings.ConfigurationError;
import io.lb4j.settings.ConfigurationException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * An HTTP/1.1 request without TLS, and what is expected in return. Redirections are not followed: they are a status
 * like any other. Immutable, shared; {@link #get} and {@link #head} begin one, the withers refine it.
 *
 * @param head whether the method is HEAD; else it is GET
 * @param path with its query, for example {@code /health?deep=1}
 * @param host the Host field; nothing for the server's address and port
 * @param expect the status codes that are a success
 * @param text what the body has to contain within its first {@link #BODY_LIMIT} bytes, in UTF-8; may be empty
 */
public record HttpCheck(boolean head, String path, Optional<String> host, List<StatusRange> expect, String text)
    implements Check {
  /** So many bytes of a body are looked at. */
  public static final int BODY_LIMIT = 64 * 1024;

  private static final int LONGEST_TEXT = 1024;
  private static final int LONGEST_PATH = 2048;
  private static final int LONGEST_HOST = 262;

  /** Refuses what would not be one request. */
  public HttpCheck {
    expect = List.copyOf(expect);
    if (path.isEmpty() || path.charAt(0) != '/' || path.length() > LONGEST_PATH || !isToken(path)) {
      throw new ConfigurationException(
          ConfigurationError.NOT_READABLE,
          "monitor: path",
          path,
          "begins with '/' and has neither spaces nor characters beyond ASCII");
    }
    if (host.isPresent() && (host.get().isEmpty() || host.get().length() > LONGEST_HOST || !isToken(host.get()))) {
      throw new ConfigurationException(
          ConfigurationError.NOT_READABLE, "monitor: host", host.get(), "is not a host name");
    }
    if (expect.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.MISSING, "monitor: expect", "none", "without a status code no answer would do");
    }
    if (text.length() > LONGEST_TEXT) {
      throw new ConfigurationException(
          ConfigurationError.OUT_OF_RANGE,
          "monitor: text",
          text.length() + " characters",
          "not in 0.." + LONGEST_TEXT);
    }
    if (head && !text.isEmpty()) {
      throw new ConfigurationException(
          ConfigurationError.CONTRADICTION, "monitor: text", text, "the answer to HEAD has no body");
    }
  }

  private static boolean isToken(String text) {
    return text.chars().allMatch(c -> c > ' ' && c < 0x7F);
  }

  /**
   * A GET that expects a status of 200 to 299.
   *
   * @param path with its query
   * @return a check
   */
  public static HttpCheck get(String path) {
    return new HttpCheck(false, path, Optional.empty(), List.of(new StatusRange(200, 299)), "");
  }

  /**
   * A HEAD that expects a status of 200 to 299.
   *
   * @param path with its query
   * @return a check
   */
  public static HttpCheck head(String path) {
    return new HttpCheck(true, path, Optional.empty(), List.of(new StatusRange(200, 299)), "");
  }

  /**
   * The same with a Host field of its own.
   *
   * @param name for example {@code www.example.com}
   * @return a new check
   */
  public HttpCheck host(String name) {
    return new HttpCheck(head, path, Optional.of(name), expect, text);
  }

  /**
   * The same with other status codes.
   *
   * @param codes for example {@code 200} or {@code 200-399}
   * @return a new check
   */
  public HttpCheck expecting(String... codes) {
    return new HttpCheck(head, path, host, Stream.of(codes).map(StatusRange::of).toList(), text);
  }

  /**
   * The same with a text that the body has to contain.
   *
   * @param part anywhere in the first {@link #BODY_LIMIT} bytes
   * @return a new check
   */
  public HttpCheck containing(String part) {
    return new HttpCheck(head, path, host, expect, part);
  }

  /**
   * Whether a status is a success.
   *
   * @param status of an answer
   * @return true when it is one of the expected
   */
  public boolean accepts(int status) {
    return expect.stream().anyMatch(range -> range.contains(status));
  }

  @Override
  public String type() {
    return "http";
  }
}
