// EventWriter: a Spark event as the bytes that leave the driver: in slim mode what the agent reads, in full mode Spark's own JSON,
// in both without what must not leave. Called on the bus for what is mutable and on the sender's thread for the rest, at the same
// time: it must keep no state between events but counts, never return more bytes than the limit, and never take more time or heap
// than what it looks at costs, whatever the event holds.
package io.stoker.spark;

import java.util.Map;
import org.apache.spark.scheduler.SparkListenerEvent;

final class EventWriter {
  /** What Spark's own packages define may be sent in full mode; the fields of other people's events are theirs. */
  private static final String SPARK = "org.apache.spark.";

  private final int maxBytes;
  private final boolean slim;
  private final String events;
  private final Counts counts;
  private final SparkJson json;
  private final Redactor redactor;

  /** Throws what names the class or method that this Spark does not have. Loads no more than that. */
  EventWriter(Settings settings, Counts counts) throws ReflectiveOperationException {
    this.maxBytes = settings.eventBytes();
    this.slim = settings.slim();
    this.events = "," + settings.text(Setting.EVENTS).replaceAll("[,\\s]+", ",") + ",";
    this.counts = counts;
    this.json = new SparkJson();
    this.redactor = new Redactor(settings.text(Setting.PROPERTIES), settings.redaction(), settings.flag(Setting.TEXTS));
  }

  /** Whether events of this kind are sent at all. */
  boolean wants(EventKind kind) {
    if (EventTable.READ.fields(kind.name) != null || events.contains("," + kind.name + ",")) return true;
    return !slim && (kind.name.startsWith(SPARK) || kind.name.indexOf('.') < 0);
  }

  /** The event's JSON, redacted, eventBytes() of the settings at most. Throws whatever Spark throws. */
  byte[] write(EventKind kind, SparkListenerEvent event) throws Exception {
    Map<String, EventTable.Field> fields = EventTable.READ.fields(kind.name);
    boolean named = fields == null; // by the user, or full mode
    if (!slim || named) {
      byte[] bytes = fits(kind, event) ? JsonFilter.whole(json.of(Trimmer.full(kind.name, event)), false, redactor, false, maxBytes) : null;
      if (bytes != null) return bytes;
      if (named) throw new IllegalArgumentException("larger than " + maxBytes + " bytes, and nothing is known of its fields");
      counts.slimmed.incrementAndGet();
    }
    return slimmed(kind.name, fields, event);
  }

  private byte[] slimmed(String name, Map<String, EventTable.Field> fields, SparkListenerEvent event) throws Exception {
    String text;
    boolean cut = false;
    if (name.startsWith(SPARK)) {
      MappedEvents.Written written = MappedEvents.write(name, fields, event, maxBytes);
      text = written.json;
      cut = written.cut;
    } else {
      text = json.of(Trimmer.slim(name, event));
    }
    byte[] bytes = JsonFilter.whole(text, true, redactor, cut, maxBytes);
    if (bytes == null) {
      bytes = JsonFilter.part(text, redactor, maxBytes);
      cut = true;
    }
    if (cut) counts.cut.add(name);
    return bytes;
  }

  /** False if the event is so large that Spark's own JSON of it is not worth the making: it would be slimmed all the same. */
  private boolean fits(EventKind kind, SparkListenerEvent event) throws ReflectiveOperationException {
    long enough = 2L * maxBytes;
    return (kind.name.startsWith(SPARK) ? MappedEvents.weight(event, enough) : Trimmer.weight(kind.name, event, enough)) < enough;
  }
}
