// TapTest: Spark's own events on their way from the bus: their numbers, what pressure costs, and that nothing is thrown back.
package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.spark.SparkConf;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.scheduler.SparkListenerUnpersistRDD;
import org.apache.spark.scheduler.TaskInfo;
import org.apache.spark.scheduler.TaskLocality;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TapTest {
  private final MockProducer<String, byte[]> producer = new MockProducer<>(true, new StringSerializer(), new ByteArraySerializer());
  private final CountDownLatch brokers = new CountDownLatch(1);

  /** Spark says such a thing to nobody's log. */
  public static class Secretive implements SparkListenerEvent {
    @Override public boolean logEvent() {
      return false;
    }
  }

  /** One that cannot be written. */
  public static class Broken implements SparkListenerEvent {
    public String getText() {
      throw new NoClassDefFoundError("some/others/Type");
    }
  }

  /** A tap whose brokers are not there before the latch opens. */
  private Tap tap(String... pairs) throws Exception {
    Map<String, String> properties = new HashMap<>();
    properties.put("spark.stoker.kafka.bootstrap.servers", "b:9092");
    properties.put("spark.stoker.mode", "full");
    properties.put("spark.stoker.events", Broken.class.getName());
    for (int i = 0; i < pairs.length; i += 2) properties.put(pairs[i], pairs[i + 1]);
    return new Tap(new Settings(properties), "3.5.8", "app-1", null, id -> {
      try {
        brokers.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return producer;
    });
  }

  private static SparkListenerTaskStart taskStart(int id) {
    TaskInfo info = new TaskInfo(id, id, 0, id, 1000L + id, "1", "host", TaskLocality.PROCESS_LOCAL(), false);
    return new SparkListenerTaskStart(1, 0, info);
  }

  private List<Long> seqs() {
    List<Long> seqs = new ArrayList<>();
    for (ProducerRecord<String, byte[]> record : producer.history()) {
      if (record.headers().lastHeader("stoker_seq") == null) continue;
      seqs.add(Long.parseLong(new String(record.headers().lastHeader("stoker_seq").value(), StandardCharsets.UTF_8)));
    }
    return seqs;
  }

  private String value(int i) {
    return new String(producer.history().get(i).value(), StandardCharsets.UTF_8);
  }

  @Test void everyEventHasItsNumberAndTheLogsStartTheFirst() throws Exception {
    Tap tap = tap();
    brokers.countDown();
    tap.onEvent(new SparkListenerUnpersistRDD(7));
    tap.onEvent(new Secretive());
    tap.onEvent(taskStart(1));
    tap.onEvent(new SparkListenerApplicationEnd(5)); // waits until all is sent
    assertEquals(List.of(1L, 2L, 3L, 4L), seqs());
    assertEquals("{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3.5.8\"}", value(0));
    assertTrue(value(3).startsWith("{\"Event\":\"SparkListenerApplicationEnd\""), value(3));
  }

  @Test void aTaskStartSaysWhatWasTrueWhenItWasPosted() throws Exception {
    Tap tap = tap();
    SparkListenerTaskStart start = taskStart(1);
    tap.onEvent(start);
    start.taskInfo().markGettingResult(4242); // Spark goes on with the same object
    brokers.countDown();
    tap.onEvent(new SparkListenerApplicationEnd(5));
    assertFalse(value(1).contains("4242"), value(1));
  }

  @Test void gapsInTheNumbersAreExactlyWhatIsCounted() throws Exception {
    Tap tap = tap("spark.stoker.queue.events", "10");
    for (int i = 0; i < 30; i++) tap.onEvent(taskStart(i));
    for (int i = 0; i < 4; i++) tap.onEvent(new SparkListenerExecutorRemoved(i, "x" + i, "lost"));
    tap.onEvent(new Broken());
    brokers.countDown();
    tap.onEvent(new SparkListenerApplicationEnd(5));
    List<Long> seqs = seqs();
    assertTrue(seqs.size() <= 10, seqs.toString());
    assertTrue(seqs.containsAll(List.of(1L, 32L, 33L, 34L, 35L, 37L)), seqs.toString()); // all but task starts and the broken one
    assertEquals(37, tap.counts().accepted.get());
    assertEquals(37 - seqs.size(), tap.counts().dropped.total() + tap.counts().refused.total());
    assertTrue(value(producer.history().size() - 2).startsWith("{\"Event\":\"StokerListenerReport\""));
  }

  @Test void brokenEventsOfOthersDoNotSwitchItOff() throws Exception {
    Tap tap = tap();
    brokers.countDown();
    tap.onEvent(new Broken());
    tap.onEvent(new SparkListenerApplicationEnd(5));
    assertEquals(List.of(1L, 3L), seqs());
    assertEquals(1, tap.counts().refused.total());
  }

  @Test void deadBrokersHoldTheEndNoLongerThanAllowed() throws Exception {
    Tap tap = tap("spark.stoker.close.timeout", "0");
    tap.onEvent(taskStart(1));
    tap.onEvent(new SparkListenerApplicationEnd(5));
    assertEquals(0, producer.history().size());
    brokers.countDown();
  }

  @Test void theLastLineTellsWhatTheQueueGaveUpToo() throws Exception {
    Tap tap = tap("spark.stoker.close.timeout", "0", "spark.stoker.queue.events", "10");
    for (int i = 0; i < 30; i++) tap.onEvent(taskStart(i));
    try (Lines lines = new Lines()) {
      tap.onEvent(new SparkListenerApplicationEnd(5));
      assertEquals(List.of("gave up: the application ends, and Kafka has not taken 32 of 32 events"), lines.of("gave up"));
    }
    brokers.countDown();
  }

  @Test void aTimeBeyondAllReasonIsWaitedFor() throws Exception {
    Tap tap = tap("spark.stoker.close.timeout", "9999999999s"); // as nanoseconds, more than a long holds
    Thread end = new Thread(() -> tap.onEvent(new SparkListenerApplicationEnd(5)));
    end.start();
    while (end.isAlive() && end.getState() != Thread.State.TIMED_WAITING) Thread.onSpinWait();
    brokers.countDown();
    end.join();
    assertEquals(List.of(1L, 2L), seqs());
  }

  @Test void aSettingThatKafkaRefusesSwitchesItOffWithOneLine() throws Exception {
    try (Lines lines = new Lines()) {
      Map<String, String> properties = new HashMap<>();
      properties.put("spark.stoker.kafka.bootstrap.servers", "b:9092");
      Tap tap = new Tap(new Settings(properties), "3.5.8", "app-1", null, id -> {
        throw new ProducerSettings.BadSetting("acks");
      });
      boolean taken = true;
      for (int i = 0; i < 1000 && taken; i++) {
        long before = tap.counts().accepted.get();
        tap.onEvent(taskStart(i));
        taken = tap.counts().accepted.get() > before;
        Thread.sleep(5);
      }
      assertFalse(taken, "nothing is written on the bus for nobody");
      tap.onEvent(new SparkListenerApplicationEnd(5));
      assertEquals(List.of("Kafka's client refuses a setting, nothing is sent: acks"), lines.of("Kafka's client"));
    }
  }

  @Test void whatComesAfterThePluginsShutdownIsSent() throws Exception {
    Tap tap = tap("spark.stoker.close.timeout", "0");
    brokers.countDown();
    tap.shutdown();
    Thread.sleep(500); // a sender that saw its end in this would be gone
    tap.onEvent(taskStart(1));
    while (seqs().size() < 2) Thread.sleep(1);
    tap.onEvent(new SparkListenerApplicationEnd(5));
    assertEquals(List.of(1L, 2L), seqs().subList(0, 2));
  }

  @Test void oneContextHasOneListener() {
    SparkConf conf = new SparkConf(false).set("spark.stoker.kafka.bootstrap.servers", "127.0.0.1:1").set("spark.app.id", "a");
    StokerListener first = new StokerListener(conf), second = new StokerListener(conf);
    assertTrue(first.tap() != null && second.tap() == null);
    second.onEvent(taskStart(1));
    first.tap().end();
  }

  @Test void switchedOffItTakesNothing() {
    assertEquals(null, new StokerListener(new SparkConf(false).set("spark.stoker.enabled", "false")
        .set("spark.stoker.kafka.bootstrap.servers", "127.0.0.1:1")).tap());
    assertEquals(null, new StokerListener(new SparkConf(false)).tap());
  }
}
