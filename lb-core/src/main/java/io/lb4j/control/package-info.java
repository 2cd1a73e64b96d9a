/**
 * From what the operator declared to what the workers work by: the registry of services, ids that outlive changes, and
 * the compiler of snapshots. Owned by the control side; all of it is guarded by the registry's lock.
 */
package io.lb4j.control;
