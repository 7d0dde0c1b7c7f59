package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.Success$;
import org.apache.spark.TaskEndReason;
import org.apache.spark.executor.ExecutorMetrics;
import org.apache.spark.executor.TaskMetrics;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.JobFailed;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskGettingResult;
import org.apache.spark.scheduler.StageInfo;
import org.apache.spark.scheduler.TaskInfo;
import org.apache.spark.scheduler.TaskLocality;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockStatus;
import org.apache.spark.storage.RDDBlockId;
import org.apache.spark.storage.StorageLevel;
import org.junit.jupiter.api.Test;
import scala.Option;

class EventWriterTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private final Counts counts = new Counts();

  private byte[] write(SparkListenerEvent event, String... settings) throws Exception {
    Map<String, String> map = new HashMap<>();
    for (int i = 0; i < settings.length; i += 2) map.put(settings[i], settings[i + 1]);
    return new EventWriter(new Settings(map), counts).write(new EventKind(event.getClass()), event);
  }

  private static AccumulableInfo accumulable(long id, Object value, String metadata) {
    return new AccumulableInfo(id, Option.apply("n" + id), Option.apply(value), Option.apply(value), false, false, Option.apply(metadata));
  }

  private static SparkListenerTaskEnd taskEnd(TaskEndReason reason, AccumulableInfo... accumulables) {
    TaskInfo info = new TaskInfo(1, 2, 0, 2, 1000, "1", "host", TaskLocality.ANY(), false);
    List<Object> list = new ArrayList<>(List.of(accumulables));
    @SuppressWarnings("unchecked")
    scala.collection.immutable.Seq<AccumulableInfo> seq = (scala.collection.immutable.Seq<AccumulableInfo>) (Object) ScalaView.seq(list);
    info.setAccumulables(seq);
    return new SparkListenerTaskEnd(3, 0, "ResultTask", reason, info, new ExecutorMetrics(), TaskMetrics.empty());
  }

  /** What must never be gone through: a list whose text has no end. */
  private static final class Endless extends AbstractList<Object> {
    @Override
    public Object get(int i) {
      throw new AssertionError("looked at");
    }

    @Override
    public int size() {
      return 100_000_000;
    }

    @Override
    public String toString() {
      throw new AssertionError("made into text");
    }
  }

  @Test
  void accumulatorsOfAnyValueCostNothing() throws Exception {
    SparkListenerTaskEnd end = taskEnd((TaskEndReason) (Object) Success$.MODULE$, accumulable(1, new Endless(), null), accumulable(2, 7L, "sql"),
        accumulable(3, new Endless(), "sql"), accumulable(4, 9L, null));
    assertEquals("[{\"ID\":2,\"Update\":\"7\",\"Metadata\":\"sql\"}]",
        JSON.readTree(write(end)).at("/Task Info/Accumulables").toString());
    assertEquals(2, JSON.readTree(write(end, "spark.stoker.mode", "full")).at("/Task Info/Accumulables").size());
    assertEquals(4, end.taskInfo().accumulables().length(), "the event is as it was");
  }

  @Test
  void norDoThoseOfAFailureAResultOrAHeartbeat() throws Exception {
    @SuppressWarnings({"unchecked", "rawtypes"})
    scala.collection.immutable.Seq<AccumulableInfo> wild =
        (scala.collection.immutable.Seq) ScalaView.seq(List.of(accumulable(1, new Endless(), null), accumulable(2, 5L, null)));
    ExceptionFailure failure = new ExceptionFailure("a.B", "x", new StackTraceElement[0], "x", Option.empty(), wild, nil(), nil());
    JsonNode end = JSON.readTree(write(taskEnd(failure), "spark.stoker.mode", "full"));
    assertEquals(1, end.at("/Task End Reason/Accumulator Updates").size());
    TaskInfo info = taskEnd(failure, accumulable(1, new Endless(), null), accumulable(2, 5L, null)).taskInfo();
    JsonNode result = JSON.readTree(write(new SparkListenerTaskGettingResult(info), "spark.stoker.mode", "full"));
    assertEquals(1, result.at("/Task Info/Accumulables").size());
    @SuppressWarnings({"unchecked", "rawtypes"})
    SparkListenerExecutorMetricsUpdate beat = new SparkListenerExecutorMetricsUpdate("1",
        (scala.collection.immutable.Seq) ScalaView.seq(List.of(new scala.Tuple4<>(1L, 2, 0, wild))), scala.collection.immutable.Map$.MODULE$.empty());
    JsonNode update = JSON.readTree(write(beat, "spark.stoker.mode", "full"));
    assertEquals(1, update.at("/Metrics Updated/0/Accumulator Updates").size());
  }

  @Test
  void failuresAreBounded() throws Exception {
    String long_ = new String(new char[10_000_000]).replace('\0', 'x');
    @SuppressWarnings({"unchecked", "rawtypes"})
    ExceptionFailure failure = new ExceptionFailure("a.B", long_, new StackTraceElement[0], long_, Option.empty(),
        (scala.collection.immutable.Seq) ScalaView.seq(List.of(accumulable(1, new Endless(), null))),
        (scala.collection.immutable.Seq) ScalaView.nil(), (scala.collection.immutable.Seq) ScalaView.nil());
    for (String mode : new String[] {"slim", "full"}) {
      byte[] bytes = write(taskEnd(failure), "spark.stoker.mode", mode);
      assertTrue(bytes.length < 8000, mode);
      assertEquals("a.B", JSON.readTree(bytes).at("/Task End Reason/Class Name").asText());
    }
    assertEquals(1, counts.slimmed.get());
    Exception thrown = new IllegalStateException(long_);
    byte[] bytes = write(new SparkListenerJobEnd(1, 5, new JobFailed(thrown)));
    assertTrue(bytes.length < 2000);
    assertSame(long_, thrown.getMessage());
  }

  @Test
  void causesOfAFailureLeaveTheDriverAndFramesStay() throws Exception {
    StringBuilder traceback = new StringBuilder("Traceback (most recent call last):\n");
    for (int n = 0; n < 500; n++) traceback.append("  File \"/job.py\", line ").append(n).append(", in f\n");
    traceback.append("MemoryError\n");
    String stack = "a.B: " + traceback + "\n\tat a.C.d(E.scala:1)\n\tat a.C.e(E.scala:2)\nCaused by: c.D: password=hunter2Canary\n"
        + "more words\n\tat c.D.f(E.scala:3)\n\t... 9 more\nCaused by: java.lang.OutOfMemoryError: Java heap space\n\tat x\n";
    @SuppressWarnings({"unchecked", "rawtypes"})
    ExceptionFailure failure = new ExceptionFailure("a.B", traceback.toString(), new StackTraceElement[0], stack, Option.empty(),
        (scala.collection.immutable.Seq) ScalaView.nil(), (scala.collection.immutable.Seq) ScalaView.nil(), (scala.collection.immutable.Seq) ScalaView.nil());
    String causes = "Caused by: c.D: password=[hidden]\nmore words\n\t...\nCaused by: java.lang.OutOfMemoryError: Java heap space\n\t...\n";
    for (String mode : new String[] {"slim", "full"}) {
      JsonNode reason = JSON.readTree(write(taskEnd(failure), "spark.stoker.mode", mode)).at("/Task End Reason");
      assertEquals(causes, reason.at("/Full Stack Trace").asText(), mode);
      assertTrue(reason.at("/Description").asText().startsWith("Traceback"), mode);
      assertTrue(reason.at("/Description").asText().endsWith("\nMemoryError\n"), mode);
      assertTrue(mode.equals("full") || reason.at("/Description").asText().length() <= 4096);
    }
    JsonNode whole = JSON.readTree(write(taskEnd(failure), "spark.stoker.mode", "full", "spark.stoker.texts", "true"));
    assertTrue(whole.at("/Task End Reason/Full Stack Trace").asText().contains("a.C.d"));
    assertEquals("", Excerpt.causes("a.B: x\n\tat y", 4096));
    assertEquals(causes, Excerpt.causes(causes, 4096));
    String text = "one two three four\nfive\nsix";
    assertEquals("one two three\nsix", Excerpt.ends(text, 18));
    assertEquals(text, Excerpt.ends(text, text.length()));
    assertEquals("xxxxxxxxxxx", Excerpt.ends("xxxxxxxxxxxxxxxxxxxxxx", 16));
  }

  @Test
  void blocksThatATaskUpdatedCostNothing() throws Exception {
    SparkListenerTaskEnd end = taskEnd((TaskEndReason) (Object) Success$.MODULE$);
    List<scala.Tuple2<BlockId, BlockStatus>> blocks = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) blocks.add(new scala.Tuple2<>(new RDDBlockId(1, i), new BlockStatus(StorageLevel.MEMORY_ONLY(), i, 0)));
    end.taskMetrics().setUpdatedBlockStatuses(blocks);
    assertFalse(new SparkJson().of(Trimmer.slim("SparkListenerTaskEnd", end)).contains("rdd_1_"), "Spark's JSON of them is never made");
    JsonNode slim = JSON.readTree(write(end));
    assertTrue(slim.has("Task Metrics"));
    assertEquals(slim, JSON.readTree(write(end, "spark.stoker.mode", "full")));
    assertEquals(1, counts.slimmed.get());
    end.taskMetrics().setUpdatedBlockStatuses(blocks.subList(0, 3));
    assertEquals(3, JSON.readTree(write(end, "spark.stoker.mode", "full")).at("/Task Metrics/Updated Blocks").size());
    assertEquals(3, end.taskMetrics().updatedBlockStatuses().length(), "the event is as it was");
  }

  @Test
  void aJobStartTellsOfItsStagesTheFirstAndTheLast() throws Exception {
    List<Object> stages = new ArrayList<>();
    for (int i = 0; i < 5000; i++) {
      stages.add(new StageInfo(i, 0, "stage " + i, 1, nil(), nil(), "details", null, nil(), Option.empty(), 0, false, 0));
    }
    Properties properties = new Properties();
    properties.setProperty("spark.sql.execution.id", "4");
    properties.setProperty("my.secret", "x");
    @SuppressWarnings("unchecked")
    SparkListenerJobStart start = new SparkListenerJobStart(1, 5,
        (scala.collection.immutable.Seq<StageInfo>) (Object) ScalaView.seq(stages), properties);
    for (String mode : new String[] {"slim", "full"}) {
      JsonNode node = JSON.readTree(write(start, "spark.stoker.mode", mode, "spark.stoker.event.bytes", "100000"));
      assertEquals(1, node.get("Job ID").asInt());
      assertEquals("[0,4999]", node.get("Stage IDs").toString());
      assertEquals("[{\"Stage ID\":0,\"Stage Name\":\"stage 0\"},{\"Stage ID\":4999,\"Stage Name\":\"stage 4999\"}]",
          node.get("Stage Infos").toString());
      assertEquals("{\"spark.sql.execution.id\":\"4\"}", node.get("Properties").toString());
    }
    assertEquals(0, counts.cut.total());
  }

  @Test
  void whatIsTooLargeIsCutAndSaysSo() throws Exception {
    AccumulableInfo[] many = new AccumulableInfo[1500];
    for (int i = 0; i < many.length; i++) many[i] = accumulable(i, (long) i, "sql");
    JsonNode cut = JSON.readTree(write(taskEnd((TaskEndReason) (Object) Success$.MODULE$, many), "spark.stoker.event.bytes", "64k"));
    assertTrue(cut.get(JsonFilter.CUT).asBoolean());
    assertEquals(1000, cut.at("/Task Info/Accumulables").size());
    assertEquals(1, counts.cut.total());
  }

  @SuppressWarnings("unchecked")
  private static <T> scala.collection.immutable.Seq<T> nil() {
    return (scala.collection.immutable.Seq<T>) (Object) ScalaView.nil();
  }

  // --- plans, by the accessors that Spark's have ---

  public record Metric(String name, long accumulatorId, String metricType) {}

  public record Node(String nodeName, String simpleString, List<Node> children, List<Metric> metrics) {}

  public record Start(long executionId, Node sparkPlanInfo, String physicalPlanDescription, long time) {}

  public record Accums(long executionId, List<scala.Tuple2<Object, Object>> accumUpdates) {}

  private static final String SQL = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart";
  private static final String DRIVER = "org.apache.spark.sql.execution.ui.SparkListenerDriverAccumUpdates";

  private static Node node(String name, long id, List<Node> children) {
    return new Node(name, "x", children, List.of(new Metric("number of output rows", id, "sum")));
  }

  private static MappedEvents.Written plan(Node root, int most) throws ReflectiveOperationException {
    Start start = new Start(1, root, "endless", 5);
    MappedEvents.Written written = MappedEvents.write(SQL, EventTable.READ.fields(SQL), start, most);
    assertTrue(written.json.length() <= most, written.json.length() + " of " + most);
    return written;
  }

  private static int count(JsonNode node, String name) {
    int count = node.get("nodeName").asText().equals(name) ? 1 : 0;
    for (JsonNode child : node.get("children")) count += count(child, name);
    return count;
  }

  @Test
  void aPlanKeepsItsJoins() throws Exception {
    Node small = node("AdaptiveSparkPlan", 1, List.of(node("SortMergeJoin", 2,
        List.of(node("Sort", 3, List.of(node("Exchange", 4, List.of()))), node("Exchange", 5, List.of(node("Project", 6, List.of())))))));
    MappedEvents.Written whole = plan(small, 1 << 20);
    assertFalse(whole.cut);
    assertEquals("{\"Event\":\"" + SQL + "\",\"time\":5,\"executionId\":1,\"sparkPlanInfo\":{\"nodeName\":\"AdaptiveSparkPlan\","
        + "\"metrics\":[{\"name\":\"number of output rows\",\"accumulatorId\":1,\"metricType\":\"sum\"}],\"children\":[{\"nodeName\":"
        + "\"SortMergeJoin\"", whole.json.substring(0, whole.json.indexOf("\"SortMergeJoin\"") + 15));
    List<Node> branches = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) branches.add(node("Project", 10 + i, List.of(node("Filter", 100_000 + i, List.of()))));
    branches.add(small);
    MappedEvents.Written part = plan(node("Union", 9, branches), 1 << 20);
    assertTrue(part.cut);
    JsonNode kept = JSON.readTree(part.json).get("sparkPlanInfo");
    assertEquals(1, count(kept, "SortMergeJoin"));
    assertEquals(2, count(kept, "Exchange"));
    int others = count(kept, "Filter") + count(kept, "Project");
    assertTrue(others > 3000 && others < 20_000, others + " of those that tell least: the room is used");
    JsonNode join = kept.get("children").get(kept.get("children").size() - 1);
    assertEquals("SortMergeJoin", join.get("nodeName").asText());
    assertEquals(2, join.get("children").size(), "its sides, past what was between");
  }

  @Test
  void aPlanOfAnyShapeIsBoundedJson() throws Exception {
    Node deep = node("Join", 1, List.of());
    for (int i = 0; i < 50_000; i++) deep = node(i % 2 == 0 ? "Exchange" : "Project", i, List.of(deep));
    List<Node> wide = Collections.nCopies(150_000, node("BroadcastExchange", 1, List.of()));
    List<Metric> metrics = Collections.nCopies(200_000, new Metric("m", 1, "sum"));
    for (Node root : List.of(deep, node("Union", 1, wide), new Node("Scan", "", List.of(), metrics))) {
      long before = System.nanoTime();
      MappedEvents.Written written = plan(root, 900_000);
      assertTrue(written.cut);
      JSON.readTree(JsonFilter.whole(written.json, true, new Redactor("", "x^", false), true, 900_000));
      assertTrue(System.nanoTime() - before < 20_000_000_000L);
    }
    List<scala.Tuple2<Object, Object>> pairs = new ArrayList<>();
    for (long i = 0; i < 200_000; i++) pairs.add(new scala.Tuple2<>(i, i));
    MappedEvents.Written accums = MappedEvents.write(DRIVER, EventTable.READ.fields(DRIVER), new Accums(7, pairs), 500_000);
    assertTrue(accums.cut && accums.json.length() <= 500_000);
    assertEquals("[41,41]", JSON.readTree(accums.json).get("accumUpdates").get(41).toString());
  }
}
