// Redactor: what of a property or a text may leave the driver. Of properties those that the agent may keep and those that the user
// named, if Spark's redaction regex finds nothing in name or value; of every text what is left without its secrets. Free texts that
// nobody asked for (SQL, plans, descriptions, stack traces) stay here. It must never let through what it does not know.
package io.stoker.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

final class Redactor {
  /** As Spark itself says it. */
  static final String HIDDEN = "*********(redacted)";
  /** So much of a text is looked at, as the agent does; of a property the agent keeps 256 bytes. */
  static final int LOOK_MOST = 4096;
  static final int PROPERTY_MOST = 512;
  /** What a user writes as prose: SQL, often. The agent does not need it. */
  private static final String DESCRIPTION = "spark.job.description";
  /** Texts of Spark's own making that full mode keeps beside those that the agent reads. */
  private static final Set<String> NAMES = new HashSet<>(Arrays.asList("Task Type", "Name", "Metadata", "DeterministicLevel",
      "Block ID", "Executor ID", "Host", "hostPort", "processId", "timestamp", "metricType", "batchId", "runId", "jobTags"));

  private final Set<String> keys = new HashSet<>();
  private final List<String> beginnings = new ArrayList<>();
  private final Set<String> named = new HashSet<>();
  private final Pattern pattern;
  private final Secrets secrets = new Secrets(EventTable.READ);
  private final boolean texts;

  /** more: properties that the user wants sent, too; "a.b.*" is all that begin so. pattern: Spark's redaction regex. */
  Redactor(String more, String pattern, boolean texts) {
    this.pattern = Pattern.compile(pattern);
    this.texts = texts;
    for (String key : EventTable.READ.words("property")) allow(key);
    keys.remove(DESCRIPTION);
    for (String key : more.split("[,\\s]+")) {
      if (!key.isEmpty() && !key.equals("*")) {
        allow(key);
        named.add(key);
      }
    }
  }

  private void allow(String key) {
    if (key.endsWith("*")) beginnings.add(key.substring(0, key.length() - 1));
    else keys.add(key);
  }

  /** The value that is sent; null if the property is not. */
  String property(String key, String value) {
    boolean family = !keys.contains(key);
    if (family && beginnings.stream().noneMatch(key::startsWith)) return null;
    // Nobody has looked at the names in a family, nor at those that the user gave.
    if ((family || named.contains(key)) && secrets.inName(key)) return null;
    if (pattern.matcher(key).find() || pattern.matcher(shortened(value, LOOK_MOST)).find()) return HIDDEN;
    return text(value, PROPERTY_MOST);
  }

  /** A text without its secrets, so many bytes of it at most. */
  String text(String text, int most) {
    return cutBytes(secrets.hide(shortened(text, Math.max(LOOK_MOST, most))), most);
  }

  /** Whether full mode sends texts that the agent does not read. */
  boolean sendsTexts() {
    return texts;
  }

  /** In full mode, a text that the agent does not read. */
  String freeText(String field, String text) {
    return texts || NAMES.contains(field) ? secrets.hide(text) : "";
  }

  private static String shortened(String text, int most) {
    if (text.length() <= most) return text;
    return text.substring(0, Character.isHighSurrogate(text.charAt(most - 1)) ? most - 1 : most);
  }

  /** At most so many bytes of UTF-8, no character cut, nor a mark. */
  private static String cutBytes(String text, int most) {
    int bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
      if (bytes > most) {
        int end = Character.isLowSurrogate(c) && i > 0 ? i - 1 : i;
        int mark = text.lastIndexOf(Secrets.MARK.charAt(0), end);
        boolean within = mark >= 0 && end - mark < Secrets.MARK.length() && text.startsWith(Secrets.MARK, mark);
        return text.substring(0, within ? mark : end);
      }
    }
    return text;
  }
}
