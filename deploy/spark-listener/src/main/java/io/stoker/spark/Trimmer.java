// Trimmer: Spark's core events as copies without what may be of any size: Spark's own JSON of a list of a million elements, of the
// stages of a long lineage or of a plan's text takes minutes and gigabytes, so it must never see one. slim: without what the agent
// does not read. The event itself is never changed, and what is not known to grow is left as it is.
package io.stoker.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.util.CollectionAccumulator;

final class Trimmer {
  /** Of a text, more than anybody reads of it. */
  static final int TEXT_MOST = Redactor.LOOK_MOST;
  /** So many accumulables of a task: as many as the agent takes. */
  private static final int ACCUMULABLES_MOST = 4096;

  private interface Trim {
    Object apply(Object event) throws ReflectiveOperationException;
  }

  private static final Map<String, Trim> SLIM = new HashMap<>();

  static {
    SLIM.put("SparkListenerTaskEnd", Trimmer::taskEnd);
    SLIM.put("SparkListenerTaskStart", event -> with(event, "taskInfo", task(ScalaView.get(event, "taskInfo"))));
    SLIM.put("SparkListenerTaskGettingResult", SLIM.get("SparkListenerTaskStart"));
    SLIM.put("SparkListenerStageSubmitted", event -> with(event, "stageInfo", stage(ScalaView.get(event, "stageInfo"))));
    SLIM.put("SparkListenerStageCompleted", SLIM.get("SparkListenerStageSubmitted"));
    SLIM.put("SparkListenerJobStart", Trimmer::jobStart);
    SLIM.put("SparkListenerJobEnd", Trimmer::jobEnd);
  }

  private Trimmer() {}

  /** The event as far as the agent reads it, in O(what is kept) but for the looking through of lists. */
  static Object slim(String event, Object of) throws ReflectiveOperationException {
    Trim trim = SLIM.get(event);
    return trim == null ? of : trim.apply(of);
  }

  /** The event as it is, but for accumulators whose values are neither numbers nor short texts: they are left out. */
  static Object full(String event, Object of) throws ReflectiveOperationException {
    switch (event) {
      case "SparkListenerTaskEnd":
        Object reason = ScalaView.get(of, "reason");
        boolean carries = ScalaView.get(reason, "accumUpdates") != null;
        Object tamed = carries ? tamed(reason, "accumUpdates", "accumUpdates") : reason;
        return tamedInside(tamed == reason ? of : with(of, "reason", tamed));
      case "SparkListenerTaskStart":
      case "SparkListenerTaskGettingResult":
        return tamedInside(of);
      case "SparkListenerStageSubmitted":
      case "SparkListenerStageCompleted":
        Object info = ScalaView.get(of, "stageInfo");
        return isTame(info, "accumulables") ? of : with(of, "stageInfo", with(info, "accumulables", noAccumulables()));
      case "SparkListenerExecutorMetricsUpdate":
        return with(of, "accumUpdates", tamedUpdates(ScalaView.get(of, "accumUpdates")));
      default:
        return of;
    }
  }

  private static Object tamedInside(Object event) throws ReflectiveOperationException {
    Object info = ScalaView.get(event, "taskInfo");
    Object tamed = tamed(info, "accumulables", "_accumulables");
    return tamed == info ? event : with(event, "taskInfo", tamed);
  }

  /** Of a heartbeat: (task, stage, attempt, accumulables) of every task. */
  private static Object tamedUpdates(Object updates) throws ReflectiveOperationException {
    List<Object> tamed = new ArrayList<>();
    for (Iterator<?> all = ScalaView.each(updates); all.hasNext();) {
      scala.Tuple4<?, ?, ?, ?> of = (scala.Tuple4<?, ?, ?, ?>) all.next();
      tamed.add(new scala.Tuple4<>(of._1(), of._2(), of._3(), ScalaView.seq(tame(of._4()))));
    }
    return ScalaView.seq(tamed);
  }

  /** How much there is of it, roughly, in characters of Spark's JSON; stops to count at `enough`. */
  static long weight(String event, Object of, long enough) throws ReflectiveOperationException {
    long weight = 0;
    switch (event) {
      case "SparkListenerTaskEnd":
        for (String text : new String[] {"description", "fullStackTrace", "message"}) {
          weight += ScalaView.text(ScalaView.get(of, "reason"), text).length();
        }
        weight += 170 * count(updatedBlocks(ScalaView.get(of, "taskMetrics")), enough / 170);
        return weight + 250 * count(ScalaView.get(ScalaView.get(of, "reason"), "accumUpdates"), enough);
      case "SparkListenerStageSubmitted":
      case "SparkListenerStageCompleted":
        return stageWeight(ScalaView.get(of, "stageInfo"), enough);
      case "SparkListenerJobStart":
        for (Iterator<?> all = ScalaView.each(ScalaView.get(of, "stageInfos")); all.hasNext() && weight < enough;) {
          weight += stageWeight(all.next(), enough);
        }
        return weight;
      case "SparkListenerJobEnd":
        Object thrown = ScalaView.get(ScalaView.get(of, "jobResult"), "exception");
        return thrown instanceof Exception ? String.valueOf(((Exception) thrown).getMessage()).length() : 0;
      default:
        return 0;
    }
  }

  private static long stageWeight(Object info, long enough) throws ReflectiveOperationException {
    long texts = ScalaView.text(info, "details").length() + ScalaView.text(info, "failureReason").length();
    return 500 + texts + 600 * count(ScalaView.get(info, "rddInfos"), enough / 600);
  }

  private static long count(Object list, long enough) {
    long count = 0;
    for (Iterator<?> all = ScalaView.each(list); all.hasNext() && count <= enough; all.next()) count++;
    return count;
  }

  private static Object taskEnd(Object event) throws ReflectiveOperationException {
    Map<String, Object> changed = new HashMap<>();
    changed.put("taskInfo", task(ScalaView.get(event, "taskInfo")));
    changed.put("reason", reason(ScalaView.get(event, "reason")));
    changed.put("taskMetrics", metrics(ScalaView.get(event, "taskMetrics")));
    return ScalaView.copy(event, changed);
  }

  private static Object task(Object info) throws ReflectiveOperationException {
    if (info == null) return null;
    List<Object> kept = new ArrayList<>();
    for (Iterator<?> all = ScalaView.each(ScalaView.get(info, "accumulables")); all.hasNext() && kept.size() < ACCUMULABLES_MOST;) {
      Object accumulable = all.next();
      boolean sql = "sql".equals(ScalaView.get(accumulable, "metadata"));
      if (sql && isNumber(ScalaView.get(accumulable, "update")) && isTame(accumulable)) kept.add(accumulable);
    }
    return with(info, "_accumulables", ScalaView.seq(kept));
  }

  /** Without the blocks that the task stored or dropped, which Spark tells if it is asked to. */
  private static Object metrics(Object metrics) throws ReflectiveOperationException {
    boolean some = ScalaView.each(updatedBlocks(metrics)).hasNext();
    return some ? with(metrics, "_updatedBlockStatuses", new CollectionAccumulator<Object>()) : metrics;
  }

  private static Object updatedBlocks(Object metrics) throws ReflectiveOperationException {
    return ScalaView.get(metrics, "updatedBlockStatuses");
  }

  /** Failures carry their accumulators and stack traces; the agent reads what went wrong. */
  private static Object reason(Object reason) throws ReflectiveOperationException {
    String name = reason == null ? "" : reason.getClass().getSimpleName();
    Map<String, Object> changed = new HashMap<>();
    if (name.equals("ExceptionFailure")) {
      changed.put("accumUpdates", ScalaView.nil());
      changed.put("description", Excerpt.ends(ScalaView.text(reason, "description"), TEXT_MOST));
      changed.put("fullStackTrace", Excerpt.causes(ScalaView.text(reason, "fullStackTrace"), TEXT_MOST));
      changed.put("stackTrace", new StackTraceElement[0]);
    } else if (name.equals("TaskKilled")) {
      changed.put("accumUpdates", ScalaView.nil());
      changed.put("reason", shortened(ScalaView.text(reason, "reason")));
    } else if (name.equals("FetchFailed")) {
      changed.put("message", Excerpt.ends(ScalaView.text(reason, "message"), TEXT_MOST));
    }
    return changed.isEmpty() ? reason : ScalaView.copy(reason, changed);
  }

  /** Of RDDs, one of each name, number of partitions and storage: of a union there are as many as it has parts. Names of those that are
   *  kept may be a whole plan. */
  private static Object stage(Object info) throws ReflectiveOperationException {
    Map<String, Object> rdds = new HashMap<>();
    for (Iterator<?> all = ScalaView.each(ScalaView.get(info, "rddInfos")); all.hasNext();) {
      Object rdd = all.next();
      String name = ScalaView.text(rdd, "name");
      Object level = ScalaView.get(rdd, "storageLevel");
      String storage = ScalaView.get(level, "useMemory") + " " + ScalaView.get(level, "useDisk");
      boolean kept = storage.contains("true");
      String what = (kept ? "" : name) + " " + ScalaView.get(rdd, "numPartitions") + " " + storage;
      if (rdds.size() < 64 && (kept || name.length() <= 64)) rdds.putIfAbsent(what, rdd);
    }
    Map<String, Object> changed = new HashMap<>();
    changed.put("rddInfos", ScalaView.seq(new ArrayList<>(rdds.values())));
    changed.put("accumulables", noAccumulables());
    changed.put("details", "");
    changed.put("name", shortened(ScalaView.text(info, "name")));
    Object failure = ScalaView.get(info, "failureReason");
    changed.put("failureReason", scala.Option.apply(failure == null ? null : shortened(failure.toString())));
    return ScalaView.copy(info, changed);
  }

  /** Of a job's stages those with the smallest and the largest id, and the last, which is its result: all that is read of them. */
  private static Object jobStart(Object event) throws ReflectiveOperationException {
    Object first = null, last = null, result = null;
    for (Iterator<?> all = ScalaView.each(ScalaView.get(event, "stageInfos")); all.hasNext();) {
      result = all.next();
      if (first == null || id(result) < id(first)) first = result;
      if (last == null || id(result) > id(last)) last = result;
    }
    Set<Object> kept = new LinkedHashSet<>(Arrays.asList(first, last));
    kept.remove(result); // it stands last
    kept.add(result);
    kept.remove(null);
    List<Object> stages = new ArrayList<>(), ids = new ArrayList<>();
    for (Object info : kept) {
      stages.add(with(stage(info), "rddInfos", ScalaView.nil()));
      ids.add(id(info));
    }
    Map<String, Object> changed = new HashMap<>();
    changed.put("stageInfos", ScalaView.seq(stages));
    changed.put("stageIds", ScalaView.seq(ids));
    return ScalaView.copy(event, changed);
  }

  private static int id(Object stage) throws ReflectiveOperationException {
    return (Integer) ScalaView.get(stage, "stageId");
  }

  /** Spark writes of an exception its message and stack trace, not its class. */
  private static Object jobEnd(Object event) throws ReflectiveOperationException {
    Object result = ScalaView.get(event, "jobResult");
    Object thrown = result == null ? null : ScalaView.get(result, "exception");
    if (!(thrown instanceof Exception)) return event;
    String message = ((Exception) thrown).getMessage();
    Exception brief = new Exception(message == null ? null : shortened(message));
    brief.setStackTrace(new StackTraceElement[0]);
    return with(event, "jobResult", with(result, "exception", brief));
  }

  // --- accumulators: anybody may keep anything in one ---

  private static boolean isTame(Object of, String accessor) throws ReflectiveOperationException {
    int count = 0;
    Object list = ScalaView.get(of, accessor);
    Object values = list instanceof scala.collection.Map ? ((scala.collection.Map<?, ?>) list).values() : list;
    for (Iterator<?> all = ScalaView.each(values); all.hasNext();) {
      if (count++ == ACCUMULABLES_MOST || !isTame(all.next())) return false;
    }
    return true;
  }

  /** The object itself if there is nothing to be left out. */
  private static Object tamed(Object of, String accessor, String field) throws ReflectiveOperationException {
    return isTame(of, accessor) ? of : with(of, field, ScalaView.seq(tame(ScalaView.get(of, accessor))));
  }

  private static List<Object> tame(Object list) throws ReflectiveOperationException {
    List<Object> kept = new ArrayList<>();
    for (Iterator<?> all = ScalaView.each(list); all.hasNext() && kept.size() < ACCUMULABLES_MOST;) {
      Object accumulable = all.next();
      if (isTame(accumulable)) kept.add(accumulable);
    }
    return kept;
  }

  private static boolean isTame(Object accumulable) throws ReflectiveOperationException {
    for (String accessor : new String[] {"update", "value"}) {
      Object value = ScalaView.get(accumulable, accessor);
      boolean small = value == null || value instanceof Number || value instanceof Boolean
          || (value instanceof String && ((String) value).length() <= TEXT_MOST);
      if (!small) return false;
    }
    return true;
  }

  private static boolean isNumber(Object value) {
    return value instanceof Number || (value instanceof String && ((String) value).length() <= 20);
  }

  private static Object noAccumulables() {
    return new scala.collection.mutable.HashMap<Object, Object>();
  }

  private static Object with(Object of, String field, Object value) throws ReflectiveOperationException {
    return ScalaView.copy(of, Collections.singletonMap(field, value));
  }

  private static String shortened(String text) {
    return text.length() <= TEXT_MOST ? text : text.substring(0, TEXT_MOST);
  }
}
