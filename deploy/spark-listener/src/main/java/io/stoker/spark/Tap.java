// Tap: what happens to an event on Spark's bus: whether it is sent, its number, its place in the queue; and the end, the one place
// where a bounded wait is right. It must never throw into the bus, never wait on it before the end, and switch itself off with one
// line if this Spark is not as expected.
package io.stoker.spark;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerApplicationStart;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.scheduler.SparkListenerLogStart;

final class Tap {
  /** A wait for ever, of which sums in nanoseconds do not overflow. */
  private static final long LONGEST_MS = TimeUnit.DAYS.toMillis(36_500);

  private final Settings settings;
  private final Counts counts = new Counts();
  private final Log log = new Log(System::nanoTime);
  private final Map<Class<?>, EventKind> kinds = new ConcurrentHashMap<>();
  private final EventWriter writer;
  private final EventQueue queue;
  private final Identity identity;
  private final Progress progress;
  private final AtExit atExit;
  private final AtomicBoolean told = new AtomicBoolean();
  private volatile boolean off;

  /** Checks this Spark and starts the sender. appId, attempt: null if not known yet. Throws what this Spark does not have. */
  Tap(Settings settings, String sparkVersion, String appId, String attempt, Sender.Source source)
      throws ReflectiveOperationException {
    this.settings = settings;
    writer = new EventWriter(settings, counts);
    identity = new Identity(sparkVersion, appId, attempt);
    long timeoutMs = Math.min(settings.number(Setting.CLOSE_TIMEOUT), LONGEST_MS);
    atExit = new AtExit(this::exit, timeoutMs);
    progress = new Progress(TimeUnit.MILLISECONDS.toNanos(timeoutMs), System::nanoTime);
    queue = new EventQueue(settings.number(Setting.QUEUE_BYTES), settings.number(Setting.QUEUE_EVENTS), this::dropped);
    accept(kindOf(SparkListenerLogStart.class), new SparkListenerLogStart(sparkVersion)); // never on the bus
    Sender sender = new Sender(source, settings, queue, this::write, counts, identity, progress, System::nanoTime);
    Thread thread = new Thread(() -> {
      sender.run();
      off = off || !progress.over(); // it ended before the application, and said why: what comes now could only be dropped
      atExit.forget();
    }, "stoker-listener");
    thread.setDaemon(true);
    thread.setContextClassLoader(Tap.class.getClassLoader()); // Kafka's client looks for its classes there
    atExit.register();
    thread.start();
  }

  /** On the bus: an event as Spark posted it. */
  void onEvent(SparkListenerEvent event) {
    if (off) return;
    try {
      take(event);
    } catch (LinkageError e) {
      switchOff(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable e) { // Spark stops the application for some
      log.repeated("an event was lost on the bus: " + Log.brief(e));
    }
  }

  private void take(SparkListenerEvent event) throws InterruptedException, ReflectiveOperationException {
    EventKind kind = kindOf(event.getClass());
    if (event instanceof SparkListenerApplicationStart) {
      SparkListenerApplicationStart start = (SparkListenerApplicationStart) event;
      identity.know(start.appId().isDefined() ? start.appId().get() : null,
          start.appAttemptId().isDefined() ? start.appAttemptId().get() : null);
    }
    if (wanted(kind, event)) accept(kind, event);
    if (event instanceof SparkListenerApplicationEnd) {
      end();
      await();
    }
  }

  private EventKind kindOf(Class<?> type) {
    EventKind kind = kinds.get(type);
    return kind != null ? kind : kinds.computeIfAbsent(type, EventKind::new);
  }

  private boolean wanted(EventKind kind, SparkListenerEvent event) {
    if (kind.name.equals("SparkListenerBlockUpdated")) return settings.flag(Setting.BLOCK_UPDATES);
    if (kind.name.equals("SparkListenerExecutorMetricsUpdate")) return settings.flag(Setting.EXECUTOR_METRICS);
    // Spark says of some that they are not for logs: they hold what cannot be written.
    return event.logEvent() && writer.wants(kind);
  }

  private void accept(EventKind kind, SparkListenerEvent event) throws ReflectiveOperationException {
    long seq = counts.accepted.incrementAndGet();
    progress.accepted();
    Object waits = event;
    int bytes;
    try {
      if (kind.mutable) waits = writer.write(kind, event);
      bytes = waits == event ? kind.roughBytes(event) : ((byte[]) waits).length;
    } catch (Exception | LinkageError | StackOverflowError | OutOfMemoryError e) {
      counts.refused.add(kind.name);
      progress.settled();
      if (!unfit(kind, e)) log.repeated("an event was lost: " + kind.name + ": " + Log.brief(e));
      return;
    }
    queue.offer(new EventQueue.Item(kind.name, kind.rank, waits, bytes, seq, System.currentTimeMillis()));
  }

  private byte[] write(EventQueue.Item item) throws Exception {
    if (item.event instanceof byte[]) return (byte[]) item.event;
    EventKind kind = kindOf(item.event.getClass());
    try {
      return writer.write(kind, (SparkListenerEvent) item.event);
    } catch (LinkageError e) {
      if (unfit(kind, e)) return null;
      throw e;
    }
  }

  /** An event of Spark's own that cannot be written tells that this is another Spark; one of others only that it is broken. */
  private boolean unfit(EventKind kind, Throwable e) {
    boolean unfit = e instanceof LinkageError && kind.rank != EventKind.Rank.OTHER;
    if (unfit) switchOff(e);
    return unfit;
  }

  private void dropped(EventQueue.Item item) {
    counts.dropped.add(item.name);
    progress.settled();
  }

  /** At the end of the JVM, after Spark has ended the application. */
  private void exit() {
    if (off) return; // what waited was forgotten
    progress.exit();
    queue.wake();
    try {
      await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void await() throws InterruptedException {
    if (progress.await() == 0) return;
    long lost = counts.accepted.get() - counts.sent.get(); // those that were given up before, too
    if (lost > 0 && told.compareAndSet(false, true)) {
      Log.warn("gave up: the application ends, and Kafka has not taken " + lost + " of " + counts.accepted + " events");
    }
  }

  /** The plugin is shut down: from Spark 4.0 on before the bus has handed out its last events, so this is the end only where no
   *  application ran. */
  void shutdown() {
    if (identity.appId() == null) end();
  }

  /** No application ran, or it has ended: what is left has until the deadline. */
  void end() {
    progress.end();
    queue.wake();
  }

  private synchronized void switchOff(Throwable e) {
    if (off) return;
    off = true;
    Log.warn(Unfit.text(identity.sparkVersion, e));
    progress.exit();
    queue.close();
  }

  Counts counts() {
    return counts;
  }

  long queueBytes() {
    return queue.bytes();
  }
}
