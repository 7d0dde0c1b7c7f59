// EventQueue: events between Spark's bus and the sender, bounded in bytes and in events. A full queue gives up what costs
// verdicts least, what is already in it included: one ring for each rank, and the order of all in the items themselves. It must
// never wait for room, and every call takes the same short time, however full it is.
package io.stoker.spark;

import java.util.ArrayDeque;
import java.util.function.Consumer;

final class EventQueue {
  /** One event on its way. */
  static final class Item {
    final String name;
    final EventKind.Rank rank;
    /** The event, or its JSON (byte[]) where it was written on the bus. */
    final Object event;
    /** What it counts for in the queue. */
    final int bytes;
    /** Its number among all that were accepted: stoker_seq. */
    final long seq;
    final long acceptedMs;

    Item(String name, EventKind.Rank rank, Object event, int bytes, long seq, long acceptedMs) {
      this.name = name;
      this.rank = rank;
      this.event = event;
      this.bytes = bytes;
      this.seq = seq;
      this.acceptedMs = acceptedMs;
    }
  }

  /** An item itself, its place in a ring and the event's header. */
  private static final int ITEM_BYTES = 128;

  private final long maxBytes;
  private final long maxItems;
  private final Consumer<Item> dropped;
  private final ArrayDeque<Item>[] rings;
  private long bytes;
  private int items;
  private boolean closed;

  /** dropped: told of each item that is given up, within offer(); it must be as quick. */
  @SuppressWarnings("unchecked")
  EventQueue(long maxBytes, long maxItems, Consumer<Item> dropped) {
    this.maxBytes = maxBytes;
    this.maxItems = maxItems;
    this.dropped = dropped;
    rings = (ArrayDeque<Item>[]) new ArrayDeque<?>[EventKind.Rank.values().length];
    for (int i = 0; i < rings.length; i++) rings[i] = new ArrayDeque<>();
  }

  /** Takes an item, in the order of its seq; gives up cheaper ones, oldest first, or the item itself. */
  synchronized void offer(Item item) {
    if (closed || !makeRoom(item)) {
      dropped.accept(item);
      return;
    }
    rings[item.rank.ordinal()].add(item);
    bytes += item.bytes + ITEM_BYTES;
    items++;
    if (items == 1) notifyAll();
  }

  private boolean makeRoom(Item item) {
    for (int rank = 0; over(item); ) {
      if (rank == item.rank.ordinal()) return false;
      Item cheaper = rings[rank].peek();
      if (cheaper == null) {
        rank++;
      } else {
        remove(cheaper);
        dropped.accept(cheaper);
      }
    }
    return true;
  }

  /** One that is larger than the whole queue is taken if it is alone: what it holds is bounded by who wrote it. */
  private boolean over(Item item) {
    return items > 0 && (bytes + item.bytes + ITEM_BYTES > maxBytes || items >= maxItems);
  }

  private void remove(Item item) {
    rings[item.rank.ordinal()].poll();
    bytes -= item.bytes + ITEM_BYTES;
    items--;
  }

  /** The oldest of all, or null if none came in waitMs. For one thread. */
  synchronized Item poll(long waitMs) throws InterruptedException {
    if (items == 0 && waitMs > 0 && !closed) wait(waitMs);
    Item oldest = null;
    for (ArrayDeque<Item> ring : rings) {
      Item head = ring.peek();
      if (head != null && (oldest == null || head.seq < oldest.seq)) oldest = head;
    }
    if (oldest != null) remove(oldest);
    return oldest;
  }

  /** Ends a poll() that waits. */
  synchronized void wake() {
    notifyAll();
  }

  /** Forgets what waits, and gives up all that comes from now on. */
  synchronized void close() {
    closed = true;
    for (ArrayDeque<Item> ring : rings) ring.clear();
    bytes = items = 0;
    notifyAll();
  }

  synchronized int size() {
    return items;
  }

  synchronized long bytes() {
    return bytes;
  }
}
