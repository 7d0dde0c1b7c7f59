// SenderTest: the sender against Kafka's own mock of a producer and against producers that hang, throw and refuse. A clock that
// stands still or jumps; nothing here sleeps for a result.
package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.stoker.spark.EventKind.Rank;
import io.stoker.spark.EventQueue.Item;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SenderTest {
  private final AtomicLong nowNs = new AtomicLong(7);
  private final Counts counts = new Counts();
  private final Settings settings = new Settings(new HashMap<>());
  private final Identity identity = new Identity("3.5.6", "app-1", null);
  private final Progress progress = new Progress(10_000_000_000L, nowNs::get);
  private final EventQueue queue = new EventQueue(1 << 20, 1000, item -> {
    counts.dropped.add(item.name);
    progress.settled();
  });

  /** A mock that can fail within send(), as a real one does: each failure is taken from the list once. */
  private static class Producer extends MockProducer<String, byte[]> {
    final List<RuntimeException> failures = new ArrayList<>();
    boolean thrown;

    Producer(boolean answers) {
      super(answers, new StringSerializer(), new ByteArraySerializer());
    }

    @Override public synchronized Future<RecordMetadata> send(ProducerRecord<String, byte[]> record, Callback callback) {
      if (failures.isEmpty()) return super.send(record, callback);
      RuntimeException failure = failures.remove(0);
      if (thrown) throw failure;
      callback.onCompletion(null, failure);
      return null;
    }

    List<String> values() {
      List<String> values = new ArrayList<>();
      for (ProducerRecord<String, byte[]> record : history()) values.add(new String(record.value(), StandardCharsets.UTF_8));
      return values;
    }
  }

  private void offer(String name, String value) {
    progress.accepted();
    queue.offer(new Item(name, Rank.STRUCTURE, value.getBytes(StandardCharsets.UTF_8), 10, counts.accepted.incrementAndGet(), 1000));
  }

  private Sender sender(Sender.Source source) {
    return new Sender(source, settings, queue, item -> {
      if (item.name.equals("broken")) throw new IllegalStateException("it says");
      return (byte[]) item.event;
    }, counts, identity, progress, nowNs::get);
  }

  private static String header(ProducerRecord<String, byte[]> record, String name) {
    Header header = record.headers().lastHeader(name);
    return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
  }

  /** All that is offered before is sent, then the sender ends. */
  private void runToTheEnd(Sender.Source source) {
    progress.exit();
    sender(source).run();
  }

  @Test void recordsSayWhoseTheyAreAndTheirNumber() {
    Producer producer = new Producer(true);
    identity.know("app-1", "2");
    offer("a", "A");
    offer("b", "B");
    runToTheEnd(id -> producer);
    assertEquals(List.of("A", "B"), producer.values());
    ProducerRecord<String, byte[]> second = producer.history().get(1);
    assertEquals("spark-events", second.topic());
    assertEquals("app-1", second.key());
    assertEquals(1000, second.timestamp());
    assertEquals("app-1", header(second, "app_id"));
    assertEquals("2", header(second, "app_attempt"));
    assertEquals("2", header(second, "stoker_seq"));
    assertEquals("3.5.6", header(second, "spark_version"));
    assertEquals(identity.listenerVersion, header(second, "stoker_listener"));
    assertEquals(2, counts.sent.get());
    assertTrue(producer.closed());
  }

  @Test void withoutAnAttemptThereIsNoSuchHeader() {
    Producer producer = new Producer(true);
    offer("a", "A");
    runToTheEnd(id -> producer);
    assertNull(header(producer.history().get(0), "app_attempt"));
  }

  @Test void whatTheClientDoesNotTakeIsGivenAgainInOrder() {
    Producer producer = new Producer(true);
    producer.failures.add(new TimeoutException("no metadata"));
    producer.failures.add(new SaslAuthenticationException("no login"));
    producer.failures.add(new TimeoutException("buffer is full"));
    offer("a", "A");
    offer("b", "B");
    runToTheEnd(id -> producer);
    assertEquals(List.of("A", "B"), producer.values());
    assertEquals(2, counts.sent.get());
    assertEquals(0, counts.refused.total());
  }

  @Test void aProducerThatThrowsIsReplaced() {
    Producer dead = new Producer(true), fresh = new Producer(true);
    dead.thrown = true;
    dead.failures.add(new KafkaException("in error state"));
    AtomicInteger opened = new AtomicInteger();
    offer("a", "A");
    runToTheEnd(id -> opened.incrementAndGet() == 1 ? dead : fresh);
    assertTrue(dead.closed());
    assertEquals(List.of("A"), fresh.values());
  }

  @Test void whatIsRefusedForGoodIsCountedAndTheRestGoesOn() {
    Producer producer = new Producer(true);
    offer("a", "A");
    offer("broken", "X");
    producer.failures.add(new RecordTooLargeException("2000000 bytes"));
    offer("b", "B");
    runToTheEnd(id -> producer);
    assertEquals(2, counts.refused.total());
    assertEquals(3, producer.history().size());
    assertTrue(producer.values().get(0).contains("\"Refused\":{\"a\":1}"), producer.values().get(0));
    assertEquals("B", producer.values().get(1)); // the next report is due in a minute, or at the end
    assertTrue(producer.values().get(2).contains("\"Refused\":{\"a\":1,\"broken\":1}"), producer.values().get(2));
  }

  @Test void aRefusalThatComesLaterIsCounted() throws Exception {
    Producer producer = new Producer(false);
    offer("a", "A");
    Thread thread = new Thread(sender(id -> producer));
    thread.start();
    while (producer.history().isEmpty()) Thread.onSpinWait();
    producer.errorNext(new TopicAuthorizationException("spark-events"));
    assertEquals(1, counts.refused.total());
    progress.exit();
    nowNs.addAndGet(11_000_000_000L); // nobody answers the report that follows
    thread.join();
  }

  @Test void namesThatAreNotResolvedAreTriedAgain() {
    Producer producer = new Producer(true);
    AtomicInteger opened = new AtomicInteger();
    offer("a", "A");
    runToTheEnd(id -> {
      if (opened.incrementAndGet() < 3) throw new KafkaException("cannot");
      return producer;
    });
    assertEquals(List.of("A"), producer.values());
  }

  @Test void aBadSettingEndsItAtOnce() {
    AtomicInteger opened = new AtomicInteger();
    offer("a", "A");
    sender(id -> {
      opened.incrementAndGet();
      throw new ProducerSettings.BadSetting("acks");
    }).run(); // the application has not ended
    assertEquals(1, opened.get());
    offer("b", "B");
    assertEquals(0, queue.size());
  }

  @Test void realSettingsThatAreBadAreToldFromNamesThatAreNotThere() {
    Map<String, String> user = new HashMap<>();
    user.put("bootstrap.servers", "nobody.invalid:9092");
    assertFalse(failureOf(user) instanceof ProducerSettings.BadSetting);
    user.put("security.protocol", "NONSENSE");
    assertTrue(failureOf(user) instanceof ProducerSettings.BadSetting);
  }

  private static KafkaException failureOf(Map<String, String> user) {
    try {
      ProducerSettings.open(user, "app").close();
      return null;
    } catch (KafkaException e) {
      return e;
    }
  }

  @Test void aHangingProducerHoldsNobodyUp() throws Exception {
    CountDownLatch hanging = new CountDownLatch(1), never = new CountDownLatch(1);
    Thread thread = new Thread(sender(id -> {
      hanging.countDown();
      try {
        never.await();
      } catch (InterruptedException e) {
        throw new KafkaException(e);
      }
      return new Producer(true);
    }));
    offer("a", "A");
    thread.start();
    hanging.await();
    progress.end();
    nowNs.addAndGet(11_000_000_000L);
    assertEquals(1, progress.await()); // returns at once
    never.countDown();
    thread.join(); // the deadline has passed: it sends nothing any more
    assertEquals(0, counts.sent.get());
  }

  @Test void afterTheDeadlineNothingIsTriedAnyMore() {
    Producer producer = new Producer(true) {
      @Override public synchronized Future<RecordMetadata> send(ProducerRecord<String, byte[]> record, Callback callback) {
        nowNs.addAndGet(6_000_000_000L); // each try takes six seconds and fails
        callback.onCompletion(null, new TimeoutException("none"));
        return null;
      }
    };
    offer("a", "A");
    offer("b", "B");
    runToTheEnd(id -> producer);
    assertEquals(0, counts.sent.get());
    assertEquals(0, queue.size());
    assertEquals(7 + 12_000_000_000L, nowNs.get()); // two tries, not more
  }

  @Test void theApplicationsIdIsWaitedFor() throws Exception {
    Producer producer = new Producer(true);
    Identity late = new Identity("4.1.1", null, null);
    offer("a", "A");
    Thread thread = new Thread(new Sender(id -> producer, settings, queue, item -> (byte[]) item.event, counts, late, progress, nowNs::get));
    thread.start();
    late.know("app-9", "1");
    progress.exit();
    thread.join();
    assertEquals("app-9", producer.history().get(0).key());
    assertEquals("1", header(producer.history().get(0), "app_attempt"));
  }

  @Test void lossIsSaidJustBeforeTheApplicationsEndAndOnceAMinute() {
    Producer producer = new Producer(true);
    counts.dropped.add("SparkListenerTaskEnd");
    offer("a", "A");
    offer("b", "B");
    offer("SparkListenerApplicationEnd", "END");
    runToTheEnd(id -> producer);
    List<String> values = producer.values();
    assertEquals(5, values.size(), values.toString());
    assertEquals(List.of("A", "B", "END"), List.of(values.get(0), values.get(2), values.get(4)));
    assertTrue(values.get(3).startsWith("{\"Event\":\"StokerListenerReport\",\"Timestamp\":"), values.get(3));
    assertTrue(values.get(3).contains("\"App ID\":\"app-1\"") && values.get(3).contains("\"Mode\":\"slim\",\"Accepted\":3,\"Sent\":2,"
        + "\"Dropped\":{\"SparkListenerTaskEnd\":1},\"Cut\":{},\"Slimmed\":0,\"Refused\":{}}"), values.get(3));
    assertNull(header(producer.history().get(3), "stoker_seq"));
  }

  @Test void withoutLossThereIsNoReport() {
    Producer producer = new Producer(true);
    offer("SparkListenerApplicationEnd", "END");
    runToTheEnd(id -> producer);
    assertEquals(List.of("END"), producer.values());
  }

  /** One that took a record and never answers is told, once a minute, though no send() fails. */
  @Test void silenceIsTold() throws Exception {
    Producer producer = new Producer(false);
    try (Lines lines = new Lines()) {
      offer("a", "A");
      Thread thread = new Thread(sender(id -> producer));
      thread.start();
      while (producer.history().isEmpty()) Thread.onSpinWait();
      nowNs.addAndGet(31_000_000_000L);
      while (lines.warnings.isEmpty()) Thread.onSpinWait();
      assertEquals("events do not get to topic spark-events, trying on (0 wait, 0 given up): no answer for 31 s",
          lines.warnings.get(0));
      progress.exit();
      nowNs.addAndGet(11_000_000_000L);
      thread.join();
      assertEquals(1, lines.warnings.size(), lines.warnings.toString());
    }
  }
}
