/** Contract suites that an implementation of a scheduler, a forwarder or a port subclasses. */
package io.lb4j.testkit;
