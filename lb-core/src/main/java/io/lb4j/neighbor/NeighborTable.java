package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.address.MacAddress;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The next hops and their MAC addresses. Safe from any thread: reads are wait-free and allocate nothing, changes are
 * synchronized. It holds what control registered, and a bounded number of hosts on connected networks that traffic was
 * to be sent to; what the network says fills in MAC addresses and never makes the table grow.
 *
 * <p>One word per next hop makes a read consistent without a lock. The generation tells an id from an earlier one of
 * the same slot: a worker with an old snapshot never sends to the next hop that came after.
 *
 * <pre>
 *   word   bits 0-47 MAC address, 0 for none · bits 48-50 state · bits 51-61 generation
 *   id     bits 0-19 slot                                        · bits 20-30 generation
 * </pre>
 */
public final class NeighborTable {
  /** What {@link #mac(int)} answers when there is no MAC address. */
  public static final long UNRESOLVED = -1;

  /** Next hops that were registered on demand, at most. */
  public static final int MAXIMUM_ON_DEMAND = 4096;

  /** Next hops at most. */
  public static final int MAXIMUM_SIZE = 1 << 20;

  /** So many of them may be without an answer before others have to give way to a new one. */
  private static final int MOST_UNANSWERED = 1024;

  private static final int SLOT_BITS = 20;
  private static final int SLOT_MASK = MAXIMUM_SIZE - 1;
  private static final int GENERATION_MASK = (1 << 31 - SLOT_BITS) - 1;
  private static final long MAC_MASK = 0xFFFF_FFFF_FFFFL;
  private static final int STATE_SHIFT = 48;
  private static final int STATE_MASK = 7;
  private static final int GENERATION_SHIFT = 51;
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle NEIGHBOR = MethodHandles.arrayElementVarHandle(Neighbor[].class);

  private volatile long[] words = new long[16];
  private volatile @Nullable Neighbor[] neighbors = new Neighbor[16];
  private volatile long version;

  private final Map<Key, Neighbor> registered = new HashMap<>();
  private final LinkedHashSet<Neighbor> onDemand = new LinkedHashSet<>(); // the oldest first
  private final LinkedHashSet<Neighbor> unanswered = new LinkedHashSet<>(); // those of them without a MAC address
  private final ArrayDeque<Integer> freeIds = new ArrayDeque<>();
  private int slots;

  private record Key(int link, IpAddress address) {
    private static final long SEED = new SecureRandom().nextLong();

    /** Keyed: what hosts there are strangers can choose, but not into which bin of the map they fall. */
    @Override
    public int hashCode() {
      long h = (address.high() ^ SEED) * 0xFF51_AFD7_ED55_8CCDL;
      h = (h ^ h >>> 32 ^ address.low()) * 0xC4CE_B9FE_1A85_EC53L;
      h = (h ^ h >>> 32 ^ link) * 0xFF51_AFD7_ED55_8CCDL;
      return (int) (h >>> 32);
    }
  }

  /** What the map of next hops goes by. */
  static int hash(int link, IpAddress address) {
    return new Key(link, address).hashCode();
  }

  /** An empty table. */
  public NeighborTable() {}

  /**
   * Makes a next hop known; asking again answers the same id. For the control thread.
   *
   * @param link index of the interface it is on
   * @param address its IP address
   * @return its id, 0 or more: a handle, not an index
   * @throws IllegalStateException when {@value #MAXIMUM_SIZE} next hops are registered
   */
  public synchronized int register(int link, IpAddress address) {
    Key key = new Key(link, address);
    Neighbor known = registered.get(key);
    if (known != null) {
      onDemand.remove(known);
      unanswered.remove(known);
      return known.id;
    }
    return add(key).id;
  }

  /**
   * Makes a next hop known that traffic asks for and no configuration names: a client or a server on a connected
   * network. At most {@value #MAXIMUM_ON_DEMAND} of them are kept; then the oldest gives way, but while very many do not
   * answer, the oldest of those: who makes up addresses does not push out the hosts that are there. For workers, once
   * per destination: it takes the lock.
   *
   * @param link index of the interface it is on
   * @param address its IP address
   * @return its id
   */
  public synchronized int registerOnDemand(int link, IpAddress address) {
    Key key = new Key(link, address);
    Neighbor known = registered.get(key);
    if (known != null) {
      return known.id;
    }
    if (onDemand.size() == MAXIMUM_ON_DEMAND) {
      unregister(victim().id);
    }
    Neighbor added = add(key);
    onDemand.add(added);
    unanswered.add(added);
    return added.id;
  }

  private Neighbor victim() {
    return (unanswered.size() > MOST_UNANSWERED ? unanswered : onDemand).iterator().next();
  }

  private Neighbor add(Key key) {
    int id = freshId();
    Neighbor neighbor = new Neighbor(id, key.link, key.address);
    registered.put(key, neighbor);
    write(neighbor, NeighborState.INCOMPLETE, 0);
    NEIGHBOR.setRelease(neighbors, id & SLOT_MASK, neighbor);
    return neighbor;
  }

  private int freshId() {
    Integer free = freeIds.poll();
    if (free != null) {
      return free;
    }
    if (slots == MAXIMUM_SIZE) {
      throw new IllegalStateException("more than " + MAXIMUM_SIZE + " next hops");
    }
    if (slots == words.length) {
      words = Arrays.copyOf(words, slots * 2);
      neighbors = Arrays.copyOf(neighbors, slots * 2);
    }
    return slots++;
  }

  /**
   * Fixes a MAC address; the network cannot change it. For the control thread.
   *
   * @param id a registered next hop; any other is ignored
   * @param mac a unicast address
   * @throws IllegalArgumentException for a group address or 00:00:00:00:00:00
   */
  public synchronized void setStatic(int id, MacAddress mac) {
    if (!isUsable(mac.value())) {
      throw new IllegalArgumentException("not the MAC address of a host: " + mac);
    }
    Neighbor neighbor = neighbor(id);
    if (neighbor != null) {
      write(neighbor, NeighborState.STATIC, mac.value());
    }
  }

  /**
   * Forgets a next hop; its id reads as {@link NeighborState#FAILED} from now on. For the control thread.
   *
   * @param id a registered next hop; any other is ignored
   */
  public synchronized void unregister(int id) {
    Neighbor neighbor = neighbor(id);
    if (neighbor != null) {
      registered.remove(new Key(neighbor.link, neighbor.address));
      forget(neighbor);
    }
  }

  /**
   * Forgets every next hop but those named and those registered on demand. For the control thread, when no worker sends
   * to the others any more.
   *
   * @param ids what stays
   */
  public synchronized void retain(Set<Integer> ids) {
    registered
        .values()
        .removeIf(
            neighbor -> {
              boolean gone = !ids.contains(neighbor.id) && !onDemand.contains(neighbor);
              if (gone) {
                forget(neighbor);
              }
              return gone;
            });
  }

  private void forget(Neighbor neighbor) {
    int slot = neighbor.id & SLOT_MASK;
    int next = (neighbor.id >>> SLOT_BITS) + 1 & GENERATION_MASK;
    neighbor.registered = false;
    onDemand.remove(neighbor);
    unanswered.remove(neighbor);
    NEIGHBOR.setRelease(neighbors, slot, (Neighbor) null);
    store(slot, word(next, NeighborState.FAILED, 0));
    freeIds.add(next << SLOT_BITS | slot);
  }

  /**
   * The MAC address to send to. Wait-free; allocates nothing.
   *
   * @param id a next hop
   * @return 48 bits, or {@link #UNRESOLVED}
   */
  public long mac(int id) {
    long word = word(id);
    long mac = word & MAC_MASK;
    return mac == 0 || (int) (word >>> GENERATION_SHIFT) != id >>> SLOT_BITS ? UNRESOLVED : mac;
  }

  /**
   * What is known of a next hop. Wait-free; allocates nothing.
   *
   * @param id a next hop
   * @return {@link NeighborState#FAILED} for an id that is not registered
   */
  public NeighborState state(int id) {
    long word = word(id);
    return (int) (word >>> GENERATION_SHIFT) == id >>> SLOT_BITS
        ? NeighborState.of((int) (word >>> STATE_SHIFT) & STATE_MASK)
        : NeighborState.FAILED;
  }

  /**
   * A number that changes whenever a MAC address appears, changes or vanishes, or a next hop is given up. Wait-free.
   *
   * @return to be compared for equality
   */
  public long version() {
    return version;
  }

  /**
   * Whether an id still names the next hop that it was given for. Wait-free.
   *
   * @param id from {@link #register} or {@link #registerOnDemand}
   * @return false when that next hop was forgotten
   */
  public boolean isCurrent(int id) {
    return (int) (word(id) >>> GENERATION_SHIFT) == id >>> SLOT_BITS;
  }

  /**
   * How many next hops are registered.
   *
   * @return 0..{@value #MAXIMUM_SIZE}
   */
  public synchronized int size() {
    return registered.size();
  }

  /**
   * Whether a MAC address can be that of a host: neither a group address nor 0.
   *
   * @param mac 48 bits
   * @return false for what is never learned
   */
  static boolean isUsable(long mac) {
    return mac != 0 && !MacAddress.isMulticast(mac);
  }

  /** The registered next hop of an id, or null. Wait-free. */
  @Nullable Neighbor neighbor(int id) {
    @Nullable Neighbor[] all = neighbors;
    int slot = id & SLOT_MASK;
    Neighbor neighbor = slot < all.length ? (Neighbor) NEIGHBOR.getAcquire(all, slot) : null;
    return neighbor != null && neighbor.id == id ? neighbor : null;
  }

  /** The registered next hop with an address, or null. */
  synchronized @Nullable Neighbor find(int link, IpAddress address) {
    return registered.get(new Key(link, address));
  }

  /**
   * The next hop of control's that has a MAC address, one of the wanted family if there is any, or null. Looks at all
   * of them.
   */
  synchronized @Nullable Neighbor findByMac(int link, long mac, boolean v6) {
    Neighbor found = null;
    for (Neighbor neighbor : registered.values()) {
      if (neighbor.link == link && mac(neighbor.id) == mac && !onDemand.contains(neighbor)) {
        if (neighbor.address.isV6() == v6) {
          return neighbor;
        }
        found = neighbor;
      }
    }
    return found;
  }

  /** Whether traffic alone asked for a next hop. */
  synchronized boolean isOnDemand(Neighbor neighbor) {
    return onDemand.contains(neighbor);
  }

  /** Records what the network said; a static or forgotten next hop stays as it is. Answers whether it was recorded. */
  synchronized boolean update(Neighbor neighbor, NeighborState state, long mac) {
    if (!neighbor.registered || state(neighbor.id) == NeighborState.STATIC) {
      return false;
    }
    write(neighbor, state, state.isResolved() ? mac : 0);
    return true;
  }

  private void write(Neighbor neighbor, NeighborState state, long mac) {
    store(neighbor.id & SLOT_MASK, word(neighbor.id >>> SLOT_BITS, state, mac));
    if (state.isResolved()) {
      unanswered.remove(neighbor);
    } else if (onDemand.contains(neighbor)) {
      unanswered.add(neighbor);
    }
  }

  private static long word(int generation, NeighborState state, long mac) {
    return (long) generation << GENERATION_SHIFT | (long) state.ordinal() << STATE_SHIFT | mac;
  }

  private void store(int slot, long word) {
    long before = (long) WORD.getAcquire(words, slot);
    WORD.setRelease(words, slot, word);
    boolean givenUp = ((int) (word >>> STATE_SHIFT) & STATE_MASK) == NeighborState.FAILED.ordinal();
    if ((before & MAC_MASK) != (word & MAC_MASK) || givenUp) {
      nextVersion();
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // the monitor is held
  private void nextVersion() {
    version = version + 1;
  }

  /** The word of a slot; a slot that never was reads as that of no generation. */
  private long word(int id) {
    long[] all = words;
    int slot = id & SLOT_MASK;
    return slot < all.length ? (long) WORD.getAcquire(all, slot) : -1L;
  }
}
