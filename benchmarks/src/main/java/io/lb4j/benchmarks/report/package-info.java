/**
 * Tables and charts from what JMH wrote, for RESULTS.md and the pages that show charts. A program of its own, see
 * {@link io.lb4j.benchmarks.report.Report}.
 */
package io.lb4j.benchmarks.report;
