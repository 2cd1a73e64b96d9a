package io.lb4j.service;

/** What persistence means for a server that drains. Established flows go on in every case. */
public enum DrainBehavior {
  /** Clients keep coming, and each visit extends their persistence: the drain ends when they have stopped. */
  PERSISTENCE_DRIVEN,
  /** New flows go elsewhere at once, and their clients with them. */
  MIGRATE_VISITORS,
  /** Clients keep coming until their persistence has run out, which no visit extends. */
  RETIRE_SESSIONS
}
