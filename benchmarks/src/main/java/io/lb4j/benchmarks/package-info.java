/** JMH benchmarks; every claim stands beside a plain baseline. */
package io.lb4j.benchmarks;
