package io.lb4j.verify;

import java.util.HexFormat;

/**
 * A frame that shows something. Immutable, shared.
 *
 * @param what {@code sent}, {@code unanswered} or {@code received}
 * @param networkInterface the balancer's interface
 * @param words the frame in words
 * @param hex the whole frame, two digits a byte
 */
public record Evidence(String what, String networkInterface, String words, String hex) {
  static Evidence of(String what, String networkInterface, byte[] frame) {
    return new Evidence(what, networkInterface, FrameText.of(frame), HexFormat.of().formatHex(frame));
  }
}
