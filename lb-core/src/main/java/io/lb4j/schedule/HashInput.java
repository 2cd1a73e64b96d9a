package io.lb4j.schedule;

/** A part of a flow that a hashing scheduler may use. */
public enum HashInput {
  /** The client's address. */
  SOURCE_ADDRESS,
  /** The client's port. */
  SOURCE_PORT,
  /** The virtual address. */
  DESTINATION_ADDRESS,
  /** The service's port. */
  DESTINATION_PORT,
  /** TCP or UDP. */
  PROTOCOL
}
