/** The control socket of {@code lb run}: lines of JSON over a Unix-domain socket, and the commands behind it. */
package io.lb4j.examples.control;
