package io.lb4j.schedule;

/** Candidates by slot; a hash chooses the slot. Keeps no state between picks. Immutable, shared. */
final class HashSlots implements Schedule, Picker {
  /** Slots up to which a table is worth its memory: 128 KiB. */
  static final int MAX_SIZE = 1 << 16;

  private final char[] slots;

  HashSlots(char[] slots) {
    this.slots = slots;
  }

  @Override
  public Picker newPicker(Picker previous) {
    return this;
  }

  @Override
  public int pick(long hash, ActiveFlows active) {
    char[] table = slots;
    return table[(int) HashRange.index(hash, table.length)];
  }
}
