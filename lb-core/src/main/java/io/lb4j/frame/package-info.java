/**
 * Frames as the data path sees them: a batch of views over borrowed memory, the parser that fills them in once, the
 * marks that travel beside the bytes, and the verdicts that end them. Owned by one worker. Imports {@code wire}
 * only.
 */
package io.lb4j.frame;
