// Log: the listener's lines in the driver's log: few, and none that holds a value of a setting or of an event. It must never
// throw, whatever the logging library is.
package io.stoker.spark;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

final class Log {
  private static final Logger LOGGER = LoggerFactory.getLogger("io.stoker.spark.StokerListener");
  static final long EVERY_NS = TimeUnit.MINUTES.toNanos(1);

  private final LongSupplier clockNs;
  private long lastNs;
  private boolean warned;
  private int unsaid;

  Log(LongSupplier clockNs) {
    this.clockNs = clockNs;
  }

  static void info(String text) {
    LOGGER.info(text);
  }

  /** For what happens once. */
  static void warn(String text) {
    LOGGER.warn(text);
  }

  /** For what may repeat: one line a minute at most, with how many were not written since. Whether it was written. */
  synchronized boolean repeated(String text) {
    long now = clockNs.getAsLong();
    if (warned && now - lastNs < EVERY_NS) {
      unsaid++;
      return false;
    }
    LOGGER.warn(unsaid == 0 ? text : text + " (and " + unsaid + " like it in the last minute)");
    warned = true;
    lastNs = now;
    unsaid = 0;
    return true;
  }

  /** An exception in one line: its kind and text, and those of its causes. */
  static String brief(Throwable e) {
    StringBuilder text = new StringBuilder();
    for (Throwable t = e; t != null && text.length() < 300; t = t.getCause() == t ? null : t.getCause()) {
      if (text.length() > 0) text.append(": ");
      text.append(t.getClass().getSimpleName());
      if (t.getMessage() != null) text.append(" (").append(t.getMessage().replaceAll("\\s+", " ")).append(')');
    }
    return text.length() > 500 ? text.substring(0, 500) + "..." : text.toString();
  }

  /** Sets what Kafka's client logs (log4j2, which all these Sparks have). Elsewhere it logs as that library is set up. */
  static void quietKafka(String level) {
    try {
      String root = ProducerSettings.OURS.substring(0, ProducerSettings.OURS.length() - 1);
      Class<?> levels = Class.forName("org.apache.logging.log4j.Level");
      Class.forName("org.apache.logging.log4j.core.config.Configurator").getMethod("setLevel", String.class, levels)
          .invoke(null, root, levels.getMethod("toLevel", String.class).invoke(null, level));
    } catch (ReflectiveOperationException | LinkageError | RuntimeException other) {
      LOGGER.debug("Kafka's client logs as it likes", other);
    }
  }
}
