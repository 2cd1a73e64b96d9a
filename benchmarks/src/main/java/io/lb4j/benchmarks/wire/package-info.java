/** Programs that the lab runs: what is compared on the wire. */
package io.lb4j.benchmarks.wire;
