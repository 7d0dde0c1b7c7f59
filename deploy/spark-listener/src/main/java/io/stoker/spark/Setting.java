// Setting: the table of all spark.stoker.* keys, and how a value of each type is read. One row is one key: its type, default
// and what it means; docs/listener.md is printed from these rows. It must never ask Spark for anything.
package io.stoker.spark;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

enum Setting {
  ENABLED("enabled", Type.FLAG, "true", "`false` switches the listener off without taking it out of the configuration."),
  TOPIC("topic", Type.TEXT, "spark-events", "The topic that the events go to."),
  MODE("mode", Type.MODE, "slim",
      "`slim`: what Stoker reads, and no more: about a third of the bytes. `full`: every field of every event of Spark's."),
  PROPERTIES("properties", Type.TEXT, "",
      "Spark properties that may leave the driver beside those that Stoker reads: names, `a.b.*` for all that begin so. One whose "
      + "name or value looks like a secret never does."),
  EVENTS("events", Type.TEXT, "",
      "Events of other packages than Spark's to send in full, by the names of their classes; their fields are whatever they are."),
  TEXTS("texts", Type.FLAG, "false",
      "In `full` mode, send free texts too (SQL, descriptions, plans, stack traces), scrubbed of secrets. `false`: they are empty."),
  PIPELINE("pipeline", Type.TEXT, "", "The name of the pipeline that the application is a run of. The agent reads it."),
  QUEUE_BYTES("queue.bytes", Type.BYTES, "16m", "Events that wait for Kafka take so much of the driver's heap at most."),
  QUEUE_EVENTS("queue.events", Type.COUNT, "20000", "So many events wait at most."),
  EVENT_BYTES("event.bytes", Type.BYTES, "0",
      "The largest event that is sent; larger ones are slimmed, then cut. 0: what fits into the producer's `max.request.size`."),
  CLOSE_TIMEOUT("close.timeout", Type.TIME, "10s",
      "How long the end of the application may wait for what is not sent yet. 0: not at all."),
  BLOCK_UPDATES("blockUpdates", Type.FLAG, "false", "Send SparkListenerBlockUpdated, too. Stoker does not read it."),
  EXECUTOR_METRICS("executorMetricsUpdates", Type.FLAG, "false",
      "Send SparkListenerExecutorMetricsUpdate (heartbeats), too. Stoker does not read it."),
  KAFKA_LOG("kafkaLog", Type.LEVEL, "off",
      "What Kafka's client may write into the driver's log (`off`, `error`, `warn`, `info`, `debug`): it repeats itself several "
      + "times a second while a broker is away. The listener's own line, once a minute, is always there.");

  static final String PREFIX = "spark.stoker.";
  /** What follows is a property of Kafka's producer. */
  static final String KAFKA_PREFIX = PREFIX + "kafka.";

  enum Type { TEXT, FLAG, BYTES, TIME, COUNT, MODE, LEVEL }

  private static final Pattern QUANTITY = Pattern.compile("([0-9]{1,15})\\s*([a-z]*)");
  private static final Map<Type, List<String>> WORDS = new HashMap<>();
  private static final Map<String, Long> BYTE_UNITS = new HashMap<>(), MS_UNITS = new HashMap<>();

  static {
    WORDS.put(Type.MODE, Arrays.asList("full", "slim"));
    WORDS.put(Type.LEVEL, Arrays.asList("off", "error", "warn", "info", "debug"));
    String[] sizes = {"k", "m", "g"};
    BYTE_UNITS.put("", 1L);
    BYTE_UNITS.put("b", 1L);
    for (int i = 0; i < sizes.length; i++) {
      for (String end : new String[] {"", "b", "ib"}) BYTE_UNITS.put(sizes[i] + end, 1024L << (10 * i));
    }
    MS_UNITS.put("ms", 1L);
    for (String unit : new String[] {"", "s"}) MS_UNITS.put(unit, 1000L);
    for (String unit : new String[] {"m", "min"}) MS_UNITS.put(unit, 60_000L);
    MS_UNITS.put("h", 3_600_000L);
  }

  final String key;
  final Type type;
  final String byDefault;
  final String doc;

  Setting(String name, Type type, String byDefault, String doc) {
    this.key = "spark.stoker." + name;
    this.type = type;
    this.byDefault = byDefault;
    this.doc = doc;
  }

  /** The value of a text: Boolean, Long (bytes, milliseconds or a count) or String. Throws IllegalArgumentException that says
   *  what is expected. */
  Object parse(String text) {
    String value = text.trim();
    String word = value.toLowerCase(Locale.ROOT);
    switch (type) {
      case TEXT: return value;
      case FLAG:
        if (word.equals("true") || word.equals("false")) return word.equals("true");
        throw new IllegalArgumentException("true or false");
      case BYTES: return quantity(word, BYTE_UNITS, "a size such as 512k or 16m");
      case TIME: return quantity(word, MS_UNITS, "a time such as 500ms, 10s or 1min");
      case COUNT: return quantity(word, Collections.emptyMap(), "a number");
      default:
        if (WORDS.get(type).contains(word)) return word;
        throw new IllegalArgumentException(String.join(", ", WORDS.get(type)));
    }
  }

  private static Long quantity(String word, Map<String, Long> units, String expected) {
    Matcher m = QUANTITY.matcher(word);
    Long unit = m.matches() ? units.isEmpty() && m.group(2).isEmpty() ? (Long) 1L : units.get(m.group(2)) : null;
    if (unit == null) throw new IllegalArgumentException(expected);
    return Math.min(Long.parseLong(m.group(1)), Long.MAX_VALUE / unit) * unit;
  }
}
