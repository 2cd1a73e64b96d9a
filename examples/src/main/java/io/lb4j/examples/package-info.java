/** The {@code lb} command. */
package io.lb4j.examples;
