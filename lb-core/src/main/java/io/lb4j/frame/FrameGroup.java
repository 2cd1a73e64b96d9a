package io.lb4j.frame;

/**
 * Frames of a batch that go through several steps together, side by side whatever is between them in the batch: a
 * {@link FrameStep} is called for each run of neighbours, and a set with holes has many. Owned by one worker; allocates
 * nothing.
 */
public final class FrameGroup {
  private final FrameView[] gathered = new FrameView[FrameBatch.CAPACITY];
  private final byte[] places = new byte[FrameBatch.CAPACITY]; // in the batch
  private FrameView[] views = gathered;
  private int frames;
  private boolean apart;

  /** An empty group. */
  public FrameGroup() {}

  /**
   * Takes frames out of a batch, in order. Those that are neighbours already stay where they are.
   *
   * @param batch views of a batch
   * @param set those to take
   */
  public void gather(FrameView[] batch, int set) {
    int aligned = set >>> Integer.numberOfTrailingZeros(set);
    apart = set != 0 && (aligned & aligned + 1) != 0;
    if (!apart) {
      views = batch;
      frames = set;
      return;
    }
    int count = 0;
    for (int rest = set; rest != 0; rest &= rest - 1) {
      int place = Integer.numberOfTrailingZeros(rest);
      places[count] = (byte) place;
      gathered[count++] = batch[place];
    }
    views = gathered;
    frames = (int) ((1L << count) - 1);
  }

  /**
   * Where the frames are now.
   *
   * @return for steps, with {@link #frames}
   */
  public FrameView[] views() {
    return views;
  }

  /**
   * Which they are now.
   *
   * @return a set of {@link #views}
   */
  public int frames() {
    return frames;
  }

  /**
   * Says of frames of this group where they are in their batch.
   *
   * @param set of {@link #views}
   * @return the same frames, in the array that they were taken from
   */
  public int inBatch(int set) {
    if (!apart) {
      return set;
    }
    int inBatch = 0;
    for (int rest = set; rest != 0; rest &= rest - 1) {
      inBatch |= 1 << places[Integer.numberOfTrailingZeros(rest)];
    }
    return inBatch;
  }
}
