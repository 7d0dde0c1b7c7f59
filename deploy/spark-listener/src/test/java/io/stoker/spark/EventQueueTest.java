// EventQueueTest: the queue against a plain list that follows the same rule, over random sequences; and the rule's corners.
package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.stoker.spark.EventKind.Rank;
import io.stoker.spark.EventQueue.Item;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventQueueTest {
  private static final int OVERHEAD = 128;
  private final List<Item> dropped = new ArrayList<>();

  private static Item item(Rank rank, int bytes, long seq) {
    return new Item(rank.name(), rank, new byte[0], bytes, seq, 0);
  }

  private static long cost(List<Item> items) {
    return items.stream().mapToLong(item -> item.bytes + OVERHEAD).sum();
  }

  /** What must happen, said as plainly as possible: the items in order, and those that are given up for one more. */
  private static final class Model {
    final long maxBytes, maxItems;
    final List<Item> items = new ArrayList<>(), dropped = new ArrayList<>();

    Model(long maxBytes, long maxItems) {
      this.maxBytes = maxBytes;
      this.maxItems = maxItems;
    }

    void offer(Item item) {
      while (!items.isEmpty() && (cost(items) + item.bytes + OVERHEAD > maxBytes || items.size() >= maxItems)) {
        Item victim = null;
        for (Item other : items) if (victim == null || other.rank.compareTo(victim.rank) < 0) victim = other;
        if (victim.rank.compareTo(item.rank) >= 0) {
          dropped.add(item);
          return;
        }
        items.remove(victim);
        dropped.add(victim);
      }
      items.add(item);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void behavesAsThePlainList(long seed) throws Exception {
    Random random = new Random(seed);
    long maxBytes = 2000 + random.nextInt(20000), maxItems = 1 + random.nextInt(60);
    EventQueue queue = new EventQueue(maxBytes, maxItems, dropped::add);
    Model model = new Model(maxBytes, maxItems);
    for (long seq = 1; seq <= 20000; seq++) {
      if (random.nextInt(100) < 55) {
        Item item = item(Rank.values()[random.nextInt(Rank.values().length)], random.nextInt(1500), seq);
        queue.offer(item);
        model.offer(item);
      } else {
        assertEquals(model.items.isEmpty() ? null : model.items.remove(0), queue.poll(0));
      }
      assertEquals(model.dropped, dropped);
      model.dropped.clear();
      dropped.clear();
      assertEquals(model.items.size(), queue.size());
      assertEquals(cost(model.items), queue.bytes());
      assertTrue(queue.size() <= maxItems && (queue.bytes() <= maxBytes || queue.size() == 1));
    }
  }

  /** Every rank gives way to every higher one, and to no other. */
  @Test void ranksGiveWayInTheirOrder() throws Exception {
    for (Rank inside : Rank.values()) {
      for (Rank outside : Rank.values()) {
        EventQueue queue = new EventQueue(1 << 20, 1, dropped::add);
        queue.offer(item(inside, 10, 1));
        queue.offer(item(outside, 10, 2));
        Rank stays = outside.compareTo(inside) > 0 ? outside : inside;
        assertEquals(stays, queue.poll(0).rank, inside + " and then " + outside);
        assertNull(queue.poll(0));
      }
    }
  }

  @Test void oneLargerThanTheQueueGoesAlone() throws Exception {
    EventQueue queue = new EventQueue(1000, 10, dropped::add);
    queue.offer(item(Rank.TASK_END, 100, 1));
    queue.offer(item(Rank.VITAL, 5000, 2));
    assertEquals(1, dropped.size());
    queue.offer(item(Rank.VITAL, 1, 3));
    assertEquals(2, queue.poll(0).seq);
    assertNull(queue.poll(0));
  }

  @Test void closedItHoldsNothing() throws Exception {
    EventQueue queue = new EventQueue(1000, 10, dropped::add);
    queue.offer(item(Rank.VITAL, 1, 1));
    queue.close();
    assertEquals(0, queue.size());
    assertEquals(0, queue.bytes());
    assertEquals(List.of(), dropped);
    queue.offer(item(Rank.VITAL, 1, 2));
    assertEquals(1, dropped.size());
    assertNull(queue.poll(Long.MAX_VALUE)); // does not wait
  }
}
