package io.lb4j.setup;

/** What a real server's machine runs. Immutable, shared. */
public enum OperatingSystem {
  /** Any distribution with a kernel of the last ten years. */
  LINUX,
  /** Windows Server 2012 R2 and later. */
  WINDOWS
}
