/** MAC and IP addresses and networks as immutable values. Imports nothing else of lb4j. */
package io.lb4j.address;
