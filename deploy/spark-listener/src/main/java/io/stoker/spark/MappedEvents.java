// MappedEvents: the events that Spark's JSON protocol leaves to a generic mapper (SQL executions, streaming queries) as JSON of the
// fields that the agent reads, taken from the objects by EventTable: their JSON names are the names of their accessors. The work is
// bounded whatever the event holds: of a plan of any size so many nodes are looked at, and so many bytes are written, those
// first that tell most.
package io.stoker.spark;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;

final class MappedEvents {
  /** As many as the agent reads of one plan, and their depth. */
  private static final int NODES_MOST = 10_000;
  private static final int DEPTH_MOST = 250;
  /** What lies beyond is not looked at: at a microsecond each they would hold up the bus. */
  private static final int LOOK_MOST = 100_000;
  private static final int LIST_MOST = 65_536;
  /** Of a node, what follows its children, and a comma. */
  private static final int CLOSING = 3;
  /** What is left for the fields around a plan. */
  private static final int AROUND = 4096;
  /** Words of what a plan is judged by, in the order in which they may go; a node without any goes first. */
  private static final String[][] TELLING = {
    {"Join", "Exchange", "Cartesian"},
    {"Scan", "Aggregate", "QueryStage", "ShuffleRead", "Python", "InPandas", "Photon", "Gpu"},
  };

  private final StringBuilder out = new StringBuilder(1024);
  private final int most;
  private boolean cut;

  private MappedEvents(int most) {
    this.most = most;
  }

  /** An event as JSON, and whether something that the agent reads is missing in it. */
  static final class Written {
    final String json;
    final boolean cut;

    Written(String json, boolean cut) {
      this.json = json;
      this.cut = cut;
    }
  }

  /** About `most` characters at most. */
  static Written write(String name, Map<String, EventTable.Field> fields, Object event, int most)
      throws ReflectiveOperationException {
    MappedEvents writer = new MappedEvents(most);
    Json.quote(writer.out.append("{\"Event\":"), name);
    writer.members(event, fields, true);
    return new Written(writer.out.append('}').toString(), writer.cut);
  }

  /** How much there is of it, roughly, in characters; stops to count at `enough`. */
  static long weight(Object event, long enough) throws ReflectiveOperationException {
    long weight = 0;
    for (String text : new String[] {"physicalPlanDescription", "details", "description", "errorMessage"}) {
      weight += ScalaView.text(event, text).length();
    }
    ArrayDeque<Iterator<?>> open = new ArrayDeque<>();
    for (String list : new String[] {"accumUpdates", "sqlPlanMetrics"}) open.push(ScalaView.each(ScalaView.get(event, list)));
    Object plan = ScalaView.get(event, "sparkPlanInfo");
    if (plan != null) open.push(Collections.singletonList(plan).iterator());
    while (!open.isEmpty() && weight < enough) {
      if (!open.peek().hasNext()) {
        open.pop();
        continue;
      }
      Object node = open.peek().next();
      weight += 60 + ScalaView.text(node, "simpleString").length();
      open.push(ScalaView.each(ScalaView.get(node, "children")));
      open.push(ScalaView.each(ScalaView.get(node, "metrics")));
    }
    return weight;
  }

  // --- by the table ---

  private void members(Object of, Map<String, EventTable.Field> fields, boolean more) throws ReflectiveOperationException {
    boolean comma = more;
    for (Map.Entry<String, EventTable.Field> entry : fields.entrySet()) {
      EventTable.Field field = entry.getValue();
      Object value = field.kind == EventTable.Kind.TREE ? null : member(of, entry.getKey());
      if (value == null) continue;
      int before = out.length();
      Json.quote(comma ? out.append(',') : out, entry.getKey()).append(':');
      if (value(value, field)) comma = true;
      else out.setLength(before);
    }
  }

  private static Object member(Object of, String name) throws ReflectiveOperationException {
    if (of instanceof Map) return ((Map<?, ?>) of).get(name);
    return ScalaView.get(of, name);
  }

  private boolean value(Object value, EventTable.Field field) throws ReflectiveOperationException {
    switch (field.kind) {
      case TEXT:
        String text = value.toString();
        Json.quote(out, text.length() <= Redactor.LOOK_MOST ? text : text.substring(0, Redactor.LOOK_MOST));
        return true;
      case OBJECT:
        object(value, field.inside);
        return true;
      case LIST:
        list(value, field);
        return true;
      case VALUE:
        return number(value);
      default:
        return false;
    }
  }

  private boolean number(Object value) {
    boolean is = value instanceof Number || value instanceof Boolean;
    if (is) {
      String text = value.toString();
      if (Json.isNumber(text) || value instanceof Boolean) out.append(text);
      else Json.quote(out, text); // NaN
    }
    return is;
  }

  private void object(Object of, Map<String, EventTable.Field> fields) throws ReflectiveOperationException {
    if (fields.values().stream().anyMatch(field -> field.kind == EventTable.Kind.TREE)) {
      plan(of, fields);
      return;
    }
    out.append('{');
    members(of, fields, false);
    out.append('}');
  }

  /** Of numbers, of tuples of numbers, or of objects. */
  private void list(Object list, EventTable.Field field) throws ReflectiveOperationException {
    int count = 0;
    out.append('[');
    for (Iterator<?> all = ScalaView.each(list); all.hasNext();) {
      Object element = all.next();
      if (count == LIST_MOST || out.length() > most - AROUND) {
        cut = true;
        break;
      }
      int before = out.length();
      if (count > 0) out.append(',');
      if (!field.inside.isEmpty()) {
        object(element, field.inside);
      } else if (!number(element)) {
        if (ScalaView.each(element).hasNext()) list(element, field);
        else out.setLength(before);
      }
      count += out.length() > before ? 1 : 0;
    }
    out.append(']');
  }

  // --- a plan: each node with its numbers, and the nodes that tell most if not all of them fit ---

  /** A node of the plan that is gone through: what is left of its children, and whether it is written itself. */
  private static final class Level {
    final Iterator<?> children;
    final boolean written;

    Level(Iterator<?> children, boolean written) {
      this.children = children;
      this.written = written;
    }
  }

  /** The parts of a node that is left out are written as its parent's, so that joins keep their sides. */
  private void plan(Object root, Map<String, EventTable.Field> fields) throws ReflectiveOperationException {
    int room = most - AROUND - out.length();
    Spare spare = spare(root, fields, room);
    int end = out.length() + room;
    int nodes = 1;
    int depth = 1;
    ArrayDeque<Level> open = new ArrayDeque<>();
    begin(root, fields);
    open.push(new Level(children(root), true));
    for (int looked = 0; !open.isEmpty();) {
      Level level = open.peek();
      boolean enough = out.length() > end || nodes >= NODES_MOST || looked > LOOK_MOST;
      if (enough || !level.children.hasNext()) {
        cut |= enough && level.children.hasNext();
        if (level.written) out.append("]}");
        depth -= level.written ? 1 : 0;
        open.pop();
        continue;
      }
      Object node = level.children.next();
      looked++;
      int rank = rank(node);
      boolean more = rank == spare.rank + 1 && spare.bytes > 0 && spare.nodes > 0;
      boolean written = rank <= spare.rank || more;
      if (written && depth == DEPTH_MOST) {
        cut = true;
        continue;
      }
      if (written) {
        int before = out.length();
        begin(node, fields);
        spare.bytes -= more ? out.length() - before + CLOSING : 0;
        spare.nodes -= more ? 1 : 0;
        nodes++;
        depth++;
      }
      open.push(new Level(children(node), written));
    }
  }

  /** A node as far as its children, whose list is left open. */
  private void begin(Object node, Map<String, EventTable.Field> fields) throws ReflectiveOperationException {
    if (out.charAt(out.length() - 1) == '}') out.append(',');
    out.append('{');
    members(node, fields, false);
    out.append(out.charAt(out.length() - 1) == '{' ? "" : ",").append("\"children\":[");
  }

  /** Up to which rank all nodes fit, and the room that they leave to those of the next. */
  private static final class Spare {
    int rank = -1;
    long bytes;
    long nodes = NODES_MOST - 1; // the root is always written
  }

  private Spare spare(Object root, Map<String, EventTable.Field> fields, int room) throws ReflectiveOperationException {
    long[] bytes = new long[TELLING.length + 1];
    long[] nodes = new long[TELLING.length + 1];
    int looked = 0;
    ArrayDeque<Iterator<?>> open = new ArrayDeque<>();
    for (open.push(Collections.singletonList(root).iterator()); !open.isEmpty() && looked < LOOK_MOST;) {
      if (!open.peek().hasNext()) {
        open.pop();
        continue;
      }
      Object node = open.peek().next();
      int before = out.length();
      begin(node, fields);
      int rank = rank(node);
      bytes[rank] += out.length() - before + CLOSING;
      nodes[rank]++;
      out.setLength(before);
      open.push(children(node));
      looked++;
    }
    Spare spare = new Spare();
    spare.bytes = room;
    while (spare.rank < TELLING.length && bytes[spare.rank + 1] <= spare.bytes && nodes[spare.rank + 1] <= spare.nodes + 1) {
      spare.rank++;
      spare.bytes -= bytes[spare.rank];
      spare.nodes -= nodes[spare.rank];
    }
    cut |= spare.rank < TELLING.length || looked == LOOK_MOST;
    return spare;
  }

  private static int rank(Object node) throws ReflectiveOperationException {
    String name = ScalaView.text(node, "nodeName");
    for (int rank = 0; rank < TELLING.length; rank++) {
      for (String word : TELLING[rank]) {
        if (name.contains(word)) return rank;
      }
    }
    return TELLING.length;
  }

  private static Iterator<?> children(Object node) throws ReflectiveOperationException {
    return ScalaView.each(ScalaView.get(node, "children"));
  }
}
