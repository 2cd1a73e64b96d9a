package io.lb4j.flow;

/** What became of a flow or client that another instance has saved. */
public enum TakeOver {
  /** It is known from now on. */
  TAKEN_OVER,
  /** No service declares its server, or none forwards by the method that the flow began with. */
  NO_SERVER,
  /** Its address, port or protocol is not its service's any more. */
  NOT_SERVED,
  /** It is known already: another flow of its addresses and ports, or a client that was seen here later. */
  ALREADY_THERE,
  /** It would need the room of another one. */
  NO_ROOM,
  /** It was silent for longer than its time-out here. */
  EXPIRED,
  /** The translator has no room or time for it, or not the addresses and ports that it needs. */
  REFUSED,
  /** The ports spread frames themselves, and among another number of workers. */
  OTHER_WORKER,
  /** Its service tells clients apart in another way. */
  SETTINGS_DIFFER
}
