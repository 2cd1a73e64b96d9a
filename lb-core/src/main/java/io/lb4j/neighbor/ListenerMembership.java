package io.lb4j.neighbor;

import io.lb4j.address.IpAddress;
import io.lb4j.frame.FrameMarks;
import io.lb4j.frame.FrameOutput;
import io.lb4j.frame.FrameView;
import io.lb4j.neighbor.LinkFrames.GroupRecord;
import io.lb4j.topology.Link;
import io.lb4j.wire.ListenerMessage;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * The multicast groups of one link, reported to switches and routers that listen (RFC 3810, section 6): changes at once
 * and again per robustness, the present state after a query. A query of version 1 is answered by reports of version 1
 * (RFC 3810, section 8.2.1). Guarded by the link layer's lock.
 */
final class ListenerMembership {
  private static final long MS = 1_000_000;

  private final Link link;
  private final AnnouncementSettings settings;
  private final LinkFrames frames;
  private final Timers timers;
  private final SplittableRandom random;

  private Set<IpAddress> groups = Set.of();
  private final Map<IpAddress, Change> changes = new LinkedHashMap<>();
  private final Set<IpAddress> asked = new LinkedHashSet<>(); // groups to report after a query
  private boolean askedByV1;
  private boolean changed;
  private final Timer changeTimer = new Timer(this::reportChanges);
  private final Timer queryTimer = new Timer(this::reportState);

  private static final class Change {
    final int recordType;
    int left;

    Change(int recordType, int left) {
      this.recordType = recordType;
      this.left = left;
    }
  }

  ListenerMembership(
      Link link, AnnouncementSettings settings, LinkFrames frames, Timers timers, SplittableRandom random) {
    this.link = link;
    this.settings = settings;
    this.frames = frames;
    this.timers = timers;
    this.random = random;
  }

  /** Takes over the groups of a configuration; what changed is reported from the next tick on. */
  void adopt(List<IpAddress> wanted) {
    Set<IpAddress> next = new LinkedHashSet<>(wanted);
    if (settings.enabled()) {
      next.stream().filter(group -> !groups.contains(group)).forEach(g -> change(g, ListenerMessage.CHANGE_TO_EXCLUDE));
      groups.stream().filter(group -> !next.contains(group)).forEach(g -> change(g, ListenerMessage.CHANGE_TO_INCLUDE));
    }
    groups = next;
    asked.retainAll(next);
  }

  private void change(IpAddress group, int recordType) {
    changes.put(group, new Change(recordType, settings.robustness()));
    changed = true;
  }

  /** Reports what changed since the last tick. */
  void begin(long nowNs, FrameOutput out) {
    if (changed) {
      changed = false;
      reportChanges(nowNs, out);
    }
  }

  private void reportChanges(long nowNs, FrameOutput out) {
    List<GroupRecord> records = new ArrayList<>();
    Iterator<Map.Entry<IpAddress, Change>> all = changes.entrySet().iterator();
    while (all.hasNext()) {
      Map.Entry<IpAddress, Change> entry = all.next();
      Change change = entry.getValue();
      records.add(new GroupRecord(change.recordType, entry.getKey()));
      if (--change.left == 0) {
        all.remove();
      }
    }
    transmit(records, out);
    if (!changes.isEmpty()) {
      timers.arm(changeTimer, nowNs + 1 + random.nextLong(settings.reportIntervalNs()));
    }
  }

  /** A router asks (RFC 3810, section 6.2): the answer waits a random time, so that not all answer at once. */
  void onQuery(FrameView view, long nowNs) {
    int icmp = view.transport();
    int length = view.networkEnd() - icmp;
    IpAddress group =
        IpAddress.v6(
            ListenerMessage.groupHigh(view.buffer(), icmp), ListenerMessage.groupLow(view.buffer(), icmp));
    boolean concerned = group.isUnspecified() ? !groups.isEmpty() : groups.contains(group);
    if (!settings.enabled() || !concerned) {
      return;
    }
    asked.addAll(group.isUnspecified() ? groups : Set.of(group));
    askedByV1 = length == ListenerMessage.V1_LENGTH;
    long longestNs = ListenerMessage.maximumResponseMs(view.buffer(), icmp, length) * MS;
    long deadlineNs = nowNs + random.nextLong(longestNs + 1);
    if (!queryTimer.armed || deadlineNs - queryTimer.deadlineNs < 0) {
      timers.arm(queryTimer, deadlineNs);
    }
  }

  private void reportState(long nowNs, FrameOutput out) {
    if (askedByV1) {
      asked.forEach(group -> out.transmit(link.index(), frames.v1ListenerReport(link, group), FrameMarks.NONE));
    } else {
      transmit(asked.stream().map(g -> new GroupRecord(ListenerMessage.MODE_IS_EXCLUDE, g)).toList(), out);
    }
    asked.clear();
  }

  private void transmit(List<GroupRecord> records, FrameOutput out) {
    int most = LinkFrames.recordsPerReport(link);
    for (int from = 0; from < records.size(); from += most) {
      List<GroupRecord> some = records.subList(from, Math.min(records.size(), from + most));
      out.transmit(link.index(), frames.listenerReport(link, some), FrameMarks.NONE);
    }
  }
}
