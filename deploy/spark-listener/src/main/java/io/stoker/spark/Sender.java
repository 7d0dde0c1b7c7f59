// Sender: the one thread that takes events out of the queue, writes those that are not written yet, and gives them to Kafka. All
// that may hang (names, connections, logins, metadata) hangs here and nowhere else. What cannot be sent now is tried again until
// the application has ended and its deadline has passed: then the thread ends, whatever is left.
package io.stoker.spark;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;

final class Sender implements Runnable {
  /** Makes a producer; may take its time. Called again later if it throws, unless it is BadSetting. */
  interface Source {
    Producer<String, byte[]> open(String appId);
  }

  /** Writes an event that was taken out of the queue. Null: it cannot, and that has been told. */
  interface Writing {
    byte[] write(EventQueue.Item item) throws Exception;
  }

  private static final long RETRY_MS = 1000, REOPEN_MS = 5000, IDLE_MS = 250;
  private static final long SILENT_MS = 30_000;
  private static final long REPORT_NS = TimeUnit.MINUTES.toNanos(1);
  private static final String APPLICATION_END = "SparkListenerApplicationEnd";

  private final Source source;
  private final String topic;
  private final boolean slim;
  private final EventQueue queue;
  private final Writing writing;
  private final Counts counts;
  private final Identity identity;
  private final Progress progress;
  private final LongSupplier clockNs;
  private final Log log;

  /** Null before the first, and if there will be none any more. */
  private Producer<String, byte[]> producer;
  private volatile boolean failing;
  private volatile boolean closing;
  private long reportedNs;
  private long reportedMark;

  Sender(Source source, Settings settings, EventQueue queue, Writing writing, Counts counts, Identity identity, Progress progress,
      LongSupplier clockNs) {
    this.source = source;
    topic = settings.text(Setting.TOPIC);
    slim = settings.slim();
    this.queue = queue;
    this.writing = writing;
    this.counts = counts;
    this.identity = identity;
    this.progress = progress;
    this.clockNs = clockNs;
    log = new Log(clockNs);
    reportedNs = clockNs.getAsLong() - REPORT_NS;
  }

  @Override public void run() {
    try {
      while (identity.await(IDLE_MS) == null && !progress.over());
      if (identity.appId() != null) {
        open();
        pump();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable e) {
      Log.warn("no more events are sent, by a fault of the listener: " + Log.brief(e));
    } finally {
      closing = true;
      queue.close();
      if (producer != null) producer.close(Duration.ZERO);
      progress.done();
      Log.info(counts.summary());
    }
  }

  /** Sets the producer; tries until there is one, unless the settings are at fault. */
  private void open() throws InterruptedException {
    while (producer == null && !progress.over()) {
      try {
        producer = source.open(identity.appId());
      } catch (ProducerSettings.BadSetting e) {
        Log.warn("Kafka's client refuses a setting, nothing is sent: " + e.getMessage());
        return;
      } catch (KafkaException e) {
        failed(e);
        progress.pause(REOPEN_MS);
      }
    }
  }

  private void pump() throws InterruptedException {
    while (producer != null && !progress.over()) {
      EventQueue.Item item = queue.poll(IDLE_MS);
      if (item != null) send(item);
      reportIfChanged(REPORT_NS);
      if (progress.silentMs() > SILENT_MS) failed(null);
    }
    if (producer != null && !failing) reportIfChanged(0);
  }

  private void send(EventQueue.Item item) throws InterruptedException {
    byte[] value;
    try {
      value = writing.write(item);
    } catch (Exception | LinkageError | StackOverflowError | OutOfMemoryError e) {
      refused(item.name, e);
      return;
    }
    if (value == null) {
      counts.refused.add(item.name);
      progress.settled();
      return;
    }
    if (item.name.equals(APPLICATION_END) && counts.lossMark() > 0) report();
    deliver(item.name, value, item.seq, item.acceptedMs);
  }

  private void reportIfChanged(long afterNs) throws InterruptedException {
    long now = clockNs.getAsLong();
    if (counts.lossMark() != reportedMark && now - reportedNs >= afterNs) report();
  }

  private void report() throws InterruptedException {
    reportedNs = clockNs.getAsLong();
    reportedMark = counts.lossMark();
    long nowMs = System.currentTimeMillis();
    progress.accepted();
    deliver(null, counts.report(identity.appId(), identity.listenerVersion, slim, nowMs), 0, nowMs);
  }

  /** Gives one record to Kafka's client; tries until it takes it. name: null for a report. */
  private void deliver(String name, byte[] value, long seq, long ms) throws InterruptedException {
    while (producer != null) {
      Outcome outcome = new Outcome(name);
      try {
        producer.send(identity.record(topic, value, seq, ms), outcome);
      } catch (KafkaException | IllegalStateException e) { // it is of no use any more
        outcome.atOnce = e;
        producer.close(Duration.ZERO);
        producer = null;
      }
      if (outcome.atOnce == null) return;
      if (outcome.atOnce instanceof RecordTooLargeException) {
        refused(name, outcome.atOnce);
        return;
      }
      failed(outcome.atOnce);
      progress.pause(RETRY_MS);
      if (progress.over()) return;
      open();
    }
  }

  /** One event's answer from Kafka. */
  private final class Outcome implements Callback {
    private final String name;
    private final Thread sender = Thread.currentThread();
    /** Why the client did not even take it: then it can be given again. */
    private Exception atOnce;

    Outcome(String name) {
      this.name = name;
    }

    @Override public void onCompletion(RecordMetadata where, Exception error) {
      if (error == null) {
        if (name != null) counts.sent.incrementAndGet();
        progress.acknowledged();
        worksAgain();
      } else if (Thread.currentThread() == sender) {
        atOnce = error;
      } else if (!closing) { // then it is told as left
        refused(name, error);
      }
    }
  }

  private void refused(String name, Throwable error) {
    if (name != null) counts.refused.add(name);
    progress.settled();
    log.repeated("an event was lost: " + (name == null ? "report" : name) + ": " + Log.brief(error));
  }

  /** error: null if Kafka's client tells none, but has been silent. */
  private void failed(Exception error) {
    failing = true;
    log.repeated("events do not get to topic " + topic + ", trying on (" + queue.size() + " wait, " + counts.dropped.total()
        + " given up): " + (error == null ? "no answer for " + progress.silentMs() / 1000 + " s" : Log.brief(error)));
  }

  private void worksAgain() {
    if (!failing) return;
    failing = false;
    Log.info("events get to topic " + topic + " again");
  }
}
