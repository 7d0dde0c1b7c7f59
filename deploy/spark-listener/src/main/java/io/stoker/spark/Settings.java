// Settings: what the user set, read once at the start. An unknown key or a bad value is a warning with the nearest known key or
// what was expected, and the default; never an exception, and never a value in a text, since it may be a secret.
package io.stoker.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

final class Settings {
  /** Spark's own, for what must be hidden. */
  private static final String REDACTION_KEY = "spark.redaction.regex";
  static final String REDACTION_DEFAULT = "(?i)secret|password|token|access[.]?key";

  private static final Map<String, Setting> KEYS =
      Arrays.stream(Setting.values()).collect(Collectors.toMap(setting -> setting.key, setting -> setting));

  private final EnumMap<Setting, Object> values = new EnumMap<>(Setting.class);
  private final TreeMap<String, String> kafka = new TreeMap<>();
  private final List<String> warnings = new ArrayList<>();
  private final String redaction;

  /** properties: all of the application's Spark properties. */
  Settings(Map<String, String> properties) {
    for (Setting setting : Setting.values()) values.put(setting, setting.parse(setting.byDefault));
    for (Map.Entry<String, String> entry : new TreeMap<>(properties).entrySet()) {
      String key = entry.getKey();
      if (key.startsWith(Setting.KAFKA_PREFIX)) {
        kafka.put(key.substring(Setting.KAFKA_PREFIX.length()), entry.getValue().trim());
      } else if (key.startsWith(Setting.PREFIX)) {
        set(key, entry.getValue());
      }
    }
    for (String name : ProducerSettings.unknown(kafka.keySet())) {
      warnings.add("Kafka's producer knows no " + name + ", is it " + nearest(name, ProducerSettings.names()) + "?");
    }
    if (!hasBrokers()) warnings.add("no " + Setting.KAFKA_PREFIX + "bootstrap.servers: nothing is sent");
    redaction = properties.getOrDefault(REDACTION_KEY, REDACTION_DEFAULT);
  }

  private void set(String key, String value) {
    Setting setting = KEYS.get(key);
    if (setting == null) {
      warnings.add("unknown setting " + key + ", is it " + nearest(key, KEYS.keySet()) + "?");
      return;
    }
    try {
      values.put(setting, setting.parse(value));
    } catch (IllegalArgumentException expected) {
      warnings.add("bad value of " + key + ": expected " + expected.getMessage() + "; taken: " + setting.byDefault);
    }
  }

  private static String nearest(String name, Collection<String> known) {
    return Collections.min(known, Comparator.comparingInt((String k) -> distance(name, k)).thenComparing(k -> k));
  }

  /** Edits between two keys (insert, remove, replace). */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) row[j] = j;
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }

  boolean flag(Setting setting) {
    return (Boolean) values.get(setting);
  }

  String text(Setting setting) {
    return (String) values.get(setting);
  }

  /** Bytes, milliseconds or a count. */
  long number(Setting setting) {
    return (Long) values.get(setting);
  }

  boolean hasBrokers() {
    return !kafka.getOrDefault("bootstrap.servers", "").isEmpty();
  }

  boolean slim() {
    return text(Setting.MODE).equals("slim");
  }

  /** Properties of the producer as the user wrote them. They may hold passwords: never to be logged. */
  Map<String, String> kafka() {
    return kafka;
  }

  /** Spark's redaction regex. */
  String redaction() {
    return redaction;
  }

  /** The largest event that is sent, in bytes. */
  int eventBytes() {
    long set = number(Setting.EVENT_BYTES);
    long fits = Math.max(16 << 10, ProducerSettings.maxRequestBytes(kafka) - (48 << 10)); // key, headers, the batch's own
    return (int) (set == 0 ? fits : Math.min(set, fits));
  }

  /** What to tell the user once. */
  List<String> warnings() {
    return warnings;
  }
}
