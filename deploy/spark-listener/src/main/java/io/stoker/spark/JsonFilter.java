// JsonFilter: an event's JSON as it may leave the driver: in slim mode the fields that the agent reads, in full mode all of Spark's,
// in both properties by the allow-list and texts without secrets. One walk over the text, no tree; numbers are copied as they stand.
// By hand and not by Spark's Jackson, whose limits on text and depth differ by version and would refuse what they should shorten.
// It must never write more than its bounds, nor a text that Redactor has not seen.
package io.stoker.spark;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

final class JsonFilter {
  static final String CUT = "Stoker Cut";
  /** The agent reads so many levels; a plan takes two for each of its own. */
  private static final int DEPTH_MOST = 600;
  private static final Map<String, EventTable.Field> UNKNOWN = new HashMap<>();
  /** Not fields by name, but what Redactor says of each key. */
  private static final Map<String, EventTable.Field> PROPERTIES = new HashMap<>();
  /** A list of which nothing is known, in full mode. */
  private static final EventTable.Field ANY = new EventTable.Field(EventTable.Kind.LIST, 0, null, UNKNOWN);
  /** A string of so many bytes may be a number: SQL metrics are told as text. */
  private static final int NUMBER_MOST = 32;

  /** How much of an event may be left when it does not fit: characters of a text, elements of a list. */
  static final class Bounds {
    final int text;
    final int list;

    Bounds(int text, int list) {
      this.text = text;
      this.list = list;
    }
  }

  static final Bounds ALL = new Bounds(Integer.MAX_VALUE, Integer.MAX_VALUE);
  private static final Bounds[] TIGHTER = {
    new Bounds(1024, 10_000), new Bounds(256, 1000), new Bounds(64, 100), new Bounds(16, 10), new Bounds(16, 0),
  };

  private final String in;
  private final boolean slim;
  private final Redactor redactor;
  private final Bounds bounds;
  private final Bytes out;
  private int i;
  private int depth;

  private JsonFilter(String in, boolean slim, Redactor redactor, Bounds bounds, int most) {
    this.in = in;
    this.slim = slim;
    this.redactor = redactor;
    this.bounds = bounds;
    this.out = new Bytes(in.length() / (slim ? 2 : 1) + 64, most);
  }

  /** The whole event, or null if it takes more than `most` bytes. cut: something that the agent reads is missing already. */
  static byte[] whole(String json, boolean slim, Redactor redactor, boolean cut, int most) {
    return filtered(json, slim, redactor, cut, ALL, most);
  }

  /** So much of the event as fits, marked as cut. */
  static byte[] part(String json, Redactor redactor, int most) {
    for (Bounds bounds : TIGHTER) {
      byte[] bytes = filtered(json, true, redactor, true, bounds, most);
      if (bytes != null) return bytes;
    }
    throw new IllegalArgumentException("does not fit into " + most + " bytes");
  }

  private static byte[] filtered(String json, boolean slim, Redactor redactor, boolean cut, Bounds bounds, int most) {
    JsonFilter filter = new JsonFilter(json, slim, redactor, bounds, most);
    try {
      filter.event(cut);
    } catch (Bytes.Full full) {
      return null;
    }
    return filter.out.whole();
  }

  /** The name of the event that a JSON text is; Spark writes it first. */
  static String name(String json) {
    int i = Json.skipBlank(json, 0);
    if (Json.at(json, i) != '{') throw new IllegalArgumentException("no JSON object");
    i = Json.skipBlank(json, i + 1);
    int end = Json.stringEnd(json, i);
    if (!json.substring(i, end).equals("\"Event\"")) throw new IllegalArgumentException("no event");
    i = Json.skipBlank(json, Json.skipBlank(json, end) + 1);
    return Json.unquoted(json, i, Json.stringEnd(json, i), 256);
  }

  private void event(boolean cut) {
    String name = name(in);
    Map<String, EventTable.Field> fields = EventTable.READ.fields(name);
    out.add(Json.quote(new StringBuilder("{\"Event\":"), name).toString());
    if (cut) out.add(",\"" + CUT + "\":true");
    i = Json.skipBlank(in, 0) + 1;
    members(fields == null ? UNKNOWN : fields, false, cut, true);
    if (Json.skipBlank(in, i) != in.length()) throw new IllegalArgumentException("more than a JSON object");
  }

  // --- objects and lists ---

  private boolean object(Map<String, EventTable.Field> fields, boolean picky) {
    out.add('{');
    i++;
    return members(fields, picky, false, false);
  }

  /** The members of an object whose brace is behind us. picky: false if none of them is the one that makes it count. */
  private boolean members(Map<String, EventTable.Field> fields, boolean picky, boolean cut, boolean top) {
    boolean counts = !picky;
    int first = top ? -1 : out.length();
    while (next('}')) {
      int end = Json.stringEnd(in, i);
      String key = Json.unquoted(in, i, end, Integer.MAX_VALUE);
      int from = i;
      i = Json.skipBlank(in, end);
      if (Json.at(in, i++) != ':') throw new IllegalArgumentException("no colon at " + i);
      i = Json.skipBlank(in, i);
      EventTable.Field field = fields.get(key);
      boolean known = top && (key.equals("Event") || (cut && key.equals(CUT)));
      if (known || (slim && field == null) || never(key)) {
        i = Json.valueEnd(in, i);
        continue;
      }
      int before = out.length();
      if (before != first) out.add(',');
      out.add(in, from, end);
      out.add(':');
      boolean kept = field == null ? unknown(key) : value(key, field);
      if (!kept) out.cutTo(before);
      counts |= kept && field != null && field.kind == EventTable.Kind.ONLY;
    }
    out.add('}');
    return counts;
  }

  /** True if a member or an element follows; past the comma before it, or past the bracket that ends them. */
  private boolean next(char close) {
    i = Json.skipBlank(in, i);
    char c = Json.at(in, i);
    if (c == ',') {
      i = Json.skipBlank(in, i + 1);
      return true;
    }
    if (c == close) i++;
    return c != close;
  }

  private void list(EventTable.Field field, String key) {
    boolean set = slim && field.kind == EventTable.Kind.SET;
    boolean picky = slim && field.inside.values().stream().anyMatch(f -> f.kind == EventTable.Kind.ONLY);
    Set<String> seen = set ? new HashSet<>() : null;
    int count = 0;
    out.add('[');
    int first = out.length();
    i++;
    while (next(']')) {
      if (count == bounds.list) {
        i = Json.valueEnd(in, i);
        continue;
      }
      int before = out.length();
      if (before != first) out.add(',');
      int from = out.length();
      boolean kept = element(field, key, picky) && (!set || seen.add(out.part(from)));
      if (kept) count++;
      else out.cutTo(before);
    }
    out.add(']');
  }

  private boolean element(EventTable.Field field, String key, boolean picky) {
    char c = Json.at(in, i);
    if (field == ANY) return unknown(key);
    if (c == '{') return nested(field.inside, picky) && !(slim && field.inside.isEmpty());
    if (c == '[') return nestedList(field, key);
    return slim ? number() : unknown(key);
  }

  /** False, too, for what is deeper than anybody reads: passed over. */
  private boolean nested(Map<String, EventTable.Field> fields, boolean picky) {
    if (tooDeep()) return false;
    depth++;
    boolean counts = fields == PROPERTIES ? properties() : object(fields, picky);
    depth--;
    return counts;
  }

  private boolean nestedList(EventTable.Field field, String key) {
    if (tooDeep()) return false;
    depth++;
    list(field, key);
    depth--;
    return true;
  }

  private boolean tooDeep() {
    if (depth < DEPTH_MOST) return false;
    i = Json.valueEnd(in, i);
    return true;
  }

  private boolean properties() {
    out.add('{');
    int first = out.length();
    i++;
    while (next('}')) {
      int end = Json.stringEnd(in, i);
      String key = Json.unquoted(in, i, end, Integer.MAX_VALUE);
      i = Json.skipBlank(in, Json.skipBlank(in, end) + 1);
      int from = i;
      i = Json.valueEnd(in, i);
      String value = in.charAt(from) == '"' ? redactor.property(key, Json.unquoted(in, from, i, Redactor.LOOK_MOST)) : null;
      if (value == null) continue;
      if (out.length() != first) out.add(',');
      out.add(Json.quote(Json.quote(new StringBuilder(), key).append(':'), value).toString());
    }
    out.add('}');
    return true;
  }

  // --- values ---

  /** A field that the agent reads. False if there is nothing to be kept in it, which is passed over. */
  private boolean value(String key, EventTable.Field field) {
    char c = Json.at(in, i);
    switch (field.kind) {
      case PROPERTIES:
        if (c == '{') return nested(PROPERTIES, false);
        break;
      case OBJECT:
        if (c == '{') return nested(field.inside, false);
        break;
      case TEXT:
        if (c == '"') return text(slim ? 2 * field.most : Integer.MAX_VALUE);
        break;
      case ENDS:
        if (c == '"') return slim ? excerpt(field) : text(Integer.MAX_VALUE);
        break;
      case CAUSES:
        if (c == '"') return slim || !redactor.sendsTexts() ? excerpt(field) : text(Integer.MAX_VALUE);
        break;
      case STREAM:
        if (c == '"' && (slim || !redactor.sendsTexts())) return stream();
        break;
      case ONLY:
        if (c == '"') return slim ? only(field.only) : text(Integer.MAX_VALUE);
        break;
      case VALUE:
        if (c != '{' && c != '[' && slim) return number();
        break;
      default:
        if (c == '[') return nestedList(field, key);
        break;
    }
    if (!slim) return unknown(key);
    i = Json.valueEnd(in, i);
    return false;
  }

  /** A number, true, false, null, or a number told as text. What is none of these stays in front of us in full mode. */
  private boolean number() {
    int end = Json.valueEnd(in, i);
    boolean text = Json.at(in, i) == '"';
    boolean kept = !text || (end - i <= NUMBER_MOST && isNumeral(in.substring(i + 1, end - 1)));
    if (kept) out.add(in, i, end);
    if (kept || slim) i = end;
    return kept;
  }

  private static boolean isNumeral(String word) {
    return Json.isNumber(word) || word.equals("NaN") || word.equals("Infinity") || word.equals("-Infinity");
  }

  private boolean only(String word) {
    int from = i;
    i = Json.stringEnd(in, i);
    boolean kept = i - from == word.length() + 2 && in.startsWith(word, from + 1);
    if (kept) out.add(in, from, i);
    return kept;
  }

  private boolean text(int most) {
    int from = i;
    i = Json.stringEnd(in, i);
    int bounded = Math.min(most, bounds.text);
    if (isPlain(from + 1, i - 1) && i - from - 2 <= bounded) {
      out.add(in, from, i);
    } else {
      String text = Json.unquoted(in, from, i, slim ? Redactor.LOOK_MOST : Integer.MAX_VALUE);
      out.add(Json.quote(new StringBuilder(), redactor.text(text, bounded)).toString());
    }
    return true;
  }

  private boolean excerpt(EventTable.Field field) {
    int from = i;
    i = Json.stringEnd(in, i);
    String whole = Json.unquoted(in, from, i, Integer.MAX_VALUE);
    String text = field.kind == EventTable.Kind.ENDS ? Excerpt.ends(whole, field.most) : Excerpt.causes(whole, field.most);
    out.add(Json.quote(new StringBuilder(), redactor.text(text, Math.min(2 * field.most, bounds.text))).toString());
    return true;
  }

  /** Of a description what Spark wrote of a stream's batch; of any other, which somebody wrote, nothing. */
  private boolean stream() {
    int from = i;
    i = Json.stringEnd(in, i);
    String ids = Excerpt.stream(Json.unquoted(in, from, i, Integer.MAX_VALUE));
    out.add(Json.quote(new StringBuilder(), redactor.text(ids, Redactor.PROPERTY_MOST)).toString());
    return !slim || !ids.isEmpty();
  }

  /** A name such as most events carry, in which no secret is looked for; as the agent has it. */
  private boolean isPlain(int from, int end) {
    if (end - from >= NUMBER_MOST) return false;
    for (int k = from; k < end; k++) {
      char c = in.charAt(k);
      boolean plain = (c >= '0' && c <= ':') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || "._-".indexOf(c) >= 0;
      if (!plain) return false;
    }
    return true;
  }

  // --- full mode: what the agent does not read ---

  private boolean unknown(String key) {
    char c = Json.at(in, i);
    if (c == '{') return nested(key.equals("modifiedConfigs") || key.equals("Properties") ? PROPERTIES : UNKNOWN, false);
    if (c == '[') return nestedList(ANY, key);
    return number() || free(key);
  }

  private boolean free(String key) {
    int from = i;
    i = Json.stringEnd(in, i);
    String text = redactor.freeText(key, Json.unquoted(in, from, i, Integer.MAX_VALUE));
    out.add(Json.quote(new StringBuilder(), text).toString());
    return true;
  }

  /** Maps that are full of secrets and paths, and of no use. */
  private static boolean never(String key) {
    switch (key) {
      case "Hadoop Properties":
      case "System Properties":
      case "Metrics Properties":
      case "Build Properties":
      case "Classpath Entries":
        return true;
      default:
        return false;
    }
  }
}
