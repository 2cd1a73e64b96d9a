/**
 * Headers as the RFCs draw them: offsets, accessors over a buffer at an absolute index, and the Internet checksum. A
 * flyweight is owned by one thread; it reads unsigned, never moves the buffer's own indices, and expects its caller to
 * have compared lengths. Imports nothing else of lb4j but addresses.
 */
package io.lb4j.wire;
