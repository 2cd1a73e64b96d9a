package io.lb4j.pcap;

import java.util.List;

/** Reads the packets of one file format. Owned by its reader. */
interface CaptureParser {
  /** Link type of Ethernet. */
  int ETHERNET = 1;

  /**
   * Reads the next packet.
   *
   * @param packet filled in
   * @return false at the file's end
   */
  boolean next(CapturedPacket packet) throws CaptureException, CaptureInput.Truncated;

  CaptureFormat format();

  /** The interfaces described so far. */
  List<CaptureInterface> interfaces();
}
