/** Contract suites that an implementation of a scheduler or a port subclasses, and what tests of frames need. */
package io.lb4j.testkit;
