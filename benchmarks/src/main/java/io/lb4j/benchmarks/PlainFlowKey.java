package io.lb4j.benchmarks;

/** The five-tuple as one would write it first: a record, for a hash map. */
record PlainFlowKey(
    long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int ports, int protocol) {}
