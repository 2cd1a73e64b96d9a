/** What {@code lb check} says beyond the library's rules. */
package io.lb4j.examples.check;
