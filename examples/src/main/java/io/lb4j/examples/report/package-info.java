/** Statistics as text tables and as JSON. */
package io.lb4j.examples.report;
