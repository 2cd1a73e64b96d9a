package io.lb4j.examples.replay;

import java.nio.file.Path;

/**
 * A capture file of an interface, as given on the command line. Immutable, shared.
 *
 * @param name the interface's name in the configuration
 * @param file where frames are read from or written to
 */
public record InterfaceFile(String name, Path file) {}
