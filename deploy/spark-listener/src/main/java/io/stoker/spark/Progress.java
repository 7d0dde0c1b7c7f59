// Progress: how many accepted events have no outcome yet, since when none got one, and until when the sender may go on. Shared by
// the bus, the sender and the end of the JVM. It must never make anybody wait longer than the deadline.
package io.stoker.spark;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

final class Progress {
  /** The least that the end waits if nothing has moved for long. */
  static final long GRACE_NS = TimeUnit.SECONDS.toNanos(1);

  private final long timeoutNs;
  private final LongSupplier clockNs;
  private long outstanding;
  /** When an event was acknowledged last, or the first of those outstanding came. */
  private long movedNs;
  private boolean ending;
  private boolean exiting;
  private boolean done;
  private long endNs;

  /** timeoutNs: how long the end may take. */
  Progress(long timeoutNs, LongSupplier clockNs) {
    this.timeoutNs = timeoutNs;
    this.clockNs = clockNs;
  }

  synchronized void accepted() {
    if (outstanding++ == 0) movedNs = clockNs.getAsLong();
  }

  /** An event was sent. */
  synchronized void acknowledged() {
    movedNs = clockNs.getAsLong();
    settled();
  }

  /** An event was sent or given up. */
  synchronized void settled() {
    if (--outstanding == 0) notifyAll();
  }

  /** The application has ended: from now on there is a deadline. Events that come until then are still sent. */
  synchronized void end() {
    if (!ending) endNs = clockNs.getAsLong() + timeoutNs;
    ending = true;
    notifyAll();
  }

  /** The JVM ends: what is outstanding is sent until the deadline, and nothing is waited for any more. */
  synchronized void exit() {
    end();
    exiting = true;
  }

  /** The sender has ended. */
  synchronized void done() {
    done = true;
    notifyAll();
  }

  /** Whether the sender must end now. */
  synchronized boolean over() {
    return ending && clockNs.getAsLong() >= endNs || exiting && outstanding == 0;
  }

  /** Since when Kafka owes an answer, in milliseconds. */
  synchronized long silentMs() {
    return outstanding == 0 ? 0 : (clockNs.getAsLong() - movedNs) / 1_000_000;
  }

  /** A pause of the sender, which a deadline that begins cuts short. */
  synchronized void pause(long ms) throws InterruptedException {
    if (!ending) wait(ms);
    else if (!over()) wait(Math.min(ms, 100));
  }

  /** After end(): waits until nothing is outstanding, to the deadline at most, and no longer than GRACE_NS if Kafka has been
   *  silent for as long as the end may take: it will not answer now. How many are outstanding. */
  synchronized long await() throws InterruptedException {
    long startNs = clockNs.getAsLong();
    for (long leftNs; (leftNs = leftNs(startNs)) > 0; ) wait(leftNs / 1_000_000 + 1);
    return outstanding;
  }

  /** How much longer who waits since startNs has to wait. */
  synchronized long leftNs(long startNs) {
    if (outstanding == 0 || done) return 0;
    long untilNs = Math.min(endNs, Math.max(movedNs + timeoutNs, startNs + GRACE_NS));
    return Math.max(0, untilNs - clockNs.getAsLong());
  }
}
