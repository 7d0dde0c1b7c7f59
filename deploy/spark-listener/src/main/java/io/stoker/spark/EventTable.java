// EventTable: what the agent reads of Spark's events, which properties it may keep, and what is known of secrets: events.txt, which
// the agent prints from its own tables (stoker man events). Read once. It must never hold a field of its own.
package io.stoker.spark;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

final class EventTable {
  /**
   * VALUE: a number, true, false. ENDS: a text whose beginning and end count. CAUSES: a stack trace whose causes do. STREAM: a text
   * of which the names of a query and its run do. ONLY: a text of which one value counts. TREE: a list of objects like the one it
   * stands in.
   */
  enum Kind { VALUE, TEXT, ENDS, CAUSES, STREAM, ONLY, OBJECT, LIST, SET, TREE, PROPERTIES }

  static final class Field {
    final Kind kind;
    /** Of a text: the agent looks at so many bytes. */
    final int most;
    final String only;
    /** Of an object, or of each element of a list; empty for a list of numbers. */
    final Map<String, Field> inside;

    Field(Kind kind, int most, String only, Map<String, Field> inside) {
      this.kind = kind;
      this.most = most;
      this.only = only;
      this.inside = inside;
    }
  }

  static final EventTable READ = read("events.txt");

  private final Map<String, Map<String, Field>> events = new HashMap<>();
  private final Map<String, List<String>> words = new HashMap<>();

  private EventTable() {}

  /** The fields of an event; null if the agent does not read it. */
  Map<String, Field> fields(String event) {
    return events.get(event);
  }

  /** The rows of a kind ("property", "secret", "shape", ...) without that word. */
  List<String> words(String kind) {
    return words.getOrDefault(kind, Collections.emptyList());
  }

  private static EventTable read(String resource) {
    EventTable table = new EventTable();
    try (InputStream in = EventTable.class.getResourceAsStream(resource);
        BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      table.parse(lines);
    } catch (IOException e) {
      throw new IllegalStateException(resource, e);
    }
    return table;
  }

  private void parse(BufferedReader lines) throws IOException {
    Map<String, Field> every = new LinkedHashMap<>();
    ArrayList<Map<String, Field>> open = new ArrayList<>(); // the objects that the line may stand in, by depth
    for (String line; (line = lines.readLine()) != null;) {
      int depth = depth(line);
      int space = line.indexOf(' ', depth);
      if (line.startsWith("#")) continue;
      if (line.equals("every")) {
        open = new ArrayList<>(Collections.singletonList(every));
      } else if (depth > 0) {
        while (open.size() > depth) open.remove(open.size() - 1);
        Field field = field(line.substring(depth, space), open.get(depth - 1));
        open.get(depth - 1).put(line.substring(space + 1), field);
        open.add(field.inside);
      } else if (line.startsWith("event ")) {
        Map<String, Field> fields = new LinkedHashMap<>(every);
        events.put(line.substring(space + 1), fields);
        open = new ArrayList<>(Collections.singletonList(fields));
      } else {
        words.computeIfAbsent(line.substring(0, space), kind -> new ArrayList<>()).add(line.substring(space + 1));
      }
    }
  }

  private static int depth(String line) {
    int depth = 0;
    while (depth < line.length() && line.charAt(depth) == ' ') depth++;
    return depth;
  }

  /** "text:256", "only:sql", "list": of a tree, the elements are what it stands in. */
  private static Field field(String said, Map<String, Field> around) {
    int colon = said.indexOf(':');
    Kind kind = Kind.valueOf((colon < 0 ? said : said.substring(0, colon)).toUpperCase(Locale.ROOT));
    String rest = said.substring(colon + 1);
    Map<String, Field> inside = kind == Kind.TREE ? around : new LinkedHashMap<>();
    boolean text = kind == Kind.TEXT || kind == Kind.ENDS || kind == Kind.CAUSES;
    return new Field(kind, text ? Integer.parseInt(rest) : 0, kind == Kind.ONLY ? rest : null, inside);
  }
}
