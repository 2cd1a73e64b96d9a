/**
 * Known flows: the table, TCP states seen from one side, time-outs and expiry. Owned by one worker. Imports {@code
 * frame}, {@code wire}, {@code address} and {@code settings}.
 */
package io.lb4j.flow;
