/**
 * What has to be done on a real server's own machine, as scripts that it runs and can take back. Text alone: nothing
 * here touches a system. Immutable, shared.
 */
@org.jspecify.annotations.NullMarked
package io.lb4j.setup;
