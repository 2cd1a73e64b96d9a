/** What {@code lb setup} finds in a configuration file. */
package io.lb4j.examples.setup;
