/** Capture files through the data path, with the captures' own clock. */
package io.lb4j.examples.replay;
