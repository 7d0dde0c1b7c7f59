// EventKind: what must be known of an event's class on the bus: its name as in JSON, what its loss would cost, whether it must be
// written at once, and how much heap one that waits may hold. It must never look at more than a constant part of an event.
package io.stoker.spark;

import java.lang.reflect.Method;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.TaskInfo;

final class EventKind {
  /** What is given up first comes first. VITAL is the application's beginning and end, without which there is no verdict. */
  enum Rank { NOISE, TASK_START, GETTING_RESULT, OTHER, TASK_END, STRUCTURE, VITAL }

  private static final String CORE = "org.apache.spark.scheduler.";
  private static final String SQL = "org.apache.spark.sql.execution.ui.";
  private static final Map<String, Rank> RANKS = new HashMap<>();
  /** Bytes of one that waits unwritten, where nothing better is known: several times what was measured. */
  private static final EnumMap<Rank, Integer> ROUGH_BYTES = new EnumMap<>(Rank.class);

  static {
    rank(Rank.NOISE, CORE, "SparkListenerBlockUpdated", "SparkListenerExecutorMetricsUpdate");
    rank(Rank.TASK_START, CORE, "SparkListenerTaskStart");
    rank(Rank.GETTING_RESULT, CORE, "SparkListenerTaskGettingResult");
    rank(Rank.TASK_END, CORE, "SparkListenerTaskEnd");
    rank(Rank.STRUCTURE, CORE, "SparkListenerJobStart", "SparkListenerJobEnd", "SparkListenerStageSubmitted",
        "SparkListenerStageCompleted", "SparkListenerExecutorAdded", "SparkListenerExecutorRemoved",
        "SparkListenerBlockManagerAdded", "SparkListenerBlockManagerRemoved", "SparkListenerResourceProfileAdded",
        "SparkListenerStageExecutorMetrics");
    rank(Rank.STRUCTURE, SQL, "SparkListenerSQLExecutionStart", "SparkListenerSQLExecutionEnd",
        "SparkListenerSQLAdaptiveExecutionUpdate", "SparkListenerSQLAdaptiveSQLMetricUpdates", "SparkListenerDriverAccumUpdates");
    rank(Rank.STRUCTURE, "org.apache.spark.sql.streaming.StreamingQueryListener$", "QueryStartedEvent", "QueryProgressEvent",
        "QueryTerminatedEvent");
    rank(Rank.VITAL, CORE, "SparkListenerApplicationStart", "SparkListenerApplicationEnd", "SparkListenerLogStart",
        "SparkListenerEnvironmentUpdate");
    for (Rank rank : Rank.values()) ROUGH_BYTES.put(rank, 16 << 10);
    ROUGH_BYTES.put(Rank.TASK_END, 4 << 10);
    ROUGH_BYTES.put(Rank.VITAL, 256 << 10); // the class path, all properties
  }

  private static final Method ACCUMULABLES = method(TaskInfo.class, "accumulables");

  final String name;
  final Rank rank;
  /** Spark changes it after it was posted: written on the bus, or it tells what happened later. */
  final boolean mutable;
  private final Method description;

  EventKind(Class<?> type) {
    String full = type.getName();
    name = full.startsWith(CORE + "SparkListener") ? full.substring(CORE.length()) : full;
    rank = RANKS.getOrDefault(full, Rank.OTHER);
    // TaskInfo and StageInfo. A TaskEnd's TaskInfo is finished before it is posted, and its metrics are its own.
    mutable = rank == Rank.TASK_START || rank == Rank.GETTING_RESULT || name.startsWith("SparkListenerStage")
        || name.equals("SparkListenerJobStart");
    description = full.startsWith(SQL) ? method(type, "physicalPlanDescription") : null;
  }

  private static void rank(Rank rank, String where, String... names) {
    for (String name : names) RANKS.put(where + name, rank);
  }

  private static Method method(Class<?> type, String name) {
    try {
      return type.getMethod(name);
    } catch (NoSuchMethodException e) {
      return null;
    }
  }

  /** The heap that an unwritten event of this kind may hold, in bytes, rather too much than too little. */
  int roughBytes(Object event) throws ReflectiveOperationException {
    long rough = ROUGH_BYTES.get(rank);
    if (rank == Rank.TASK_END) {
      rough += taskEndBytes((SparkListenerTaskEnd) event);
    } else if (description != null) {
      // The plan's tree says about as much as its description: twice the text for each.
      rough += 4L * ((String) description.invoke(event)).length();
    }
    return (int) Math.min(Integer.MAX_VALUE, rough);
  }

  private static long taskEndBytes(SparkListenerTaskEnd end) throws ReflectiveOperationException {
    long bytes = 0;
    if (end.taskInfo() != null) {
      // Which Seq it is depends on Scala's version.
      bytes += 160L * ((scala.collection.Seq<?>) ACCUMULABLES.invoke(end.taskInfo())).length();
    }
    if (end.reason() instanceof ExceptionFailure) {
      ExceptionFailure failure = (ExceptionFailure) end.reason();
      bytes += 2L * (length(failure.description()) + length(failure.fullStackTrace()));
    }
    return bytes;
  }

  private static int length(String text) {
    return text == null ? 0 : text.length();
  }
}
