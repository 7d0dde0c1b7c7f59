// AtExit: what is done when the JVM ends (System.exit, SIGTERM, an exception that nobody caught), after Spark has stopped its
// context: Hadoop's hooks run one after the other by priority, Spark's among them, while those of the JVM run all at once. It must
// never keep a listener that has ended in memory.
package io.stoker.spark;

import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;

final class AtExit {
  /** Below Spark's (40: it stops the context and waits for the bus), above the closing of file systems (10). */
  private static final int PRIORITY = 30;
  private static final long MARGIN_MS = 5000;

  private final Runnable action;
  private final long timeoutMs;

  /** timeoutMs: how long the action may take. */
  AtExit(Runnable action, long timeoutMs) {
    this.action = action;
    this.timeoutMs = timeoutMs;
  }

  void register() {
    try {
      ShutdownHookManager.get().addShutdownHook(action, PRIORITY, timeoutMs + MARGIN_MS, TimeUnit.MILLISECONDS);
    } catch (IllegalStateException e) {
      // the JVM ends already
    }
  }

  void forget() {
    try {
      ShutdownHookManager.get().removeShutdownHook(action);
    } catch (IllegalStateException e) {
      // the JVM ends already
    }
  }
}
