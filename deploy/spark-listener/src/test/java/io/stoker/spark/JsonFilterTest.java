package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JsonFilterTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST = 1 << 20;
  private static final String[] REAL = {"ok_join", "task_retries", "ok_streaming", "failed_stage", "ok_cached_sql"};
  private final Redactor redactor = new Redactor("", Settings.REDACTION_DEFAULT, false);

  private String slim(String json) {
    return new String(JsonFilter.whole(json, true, redactor, false, MOST), StandardCharsets.UTF_8);
  }

  private String full(String json) {
    return new String(JsonFilter.whole(json, false, redactor, false, MOST), StandardCharsets.UTF_8);
  }

  @Test
  void keepsWhatTheAgentReadsAndNoMore() {
    assertEquals("{\"Event\":\"SparkListenerJobStart\",\"Job ID\":7,\"Submission Time\":5,\"Stage Infos\":[{\"Stage ID\":1}],"
        + "\"Stage IDs\":[1,2],\"Properties\":{\"callSite.short\":\"x\",\"spark.sql.execution.id\":\"3\"}}",
        slim("{\"Event\":\"SparkListenerJobStart\",\"Job ID\":7,\"Submission Time\":5,\"Stage Infos\":[{\"Stage ID\":1,\"x\":[]}],"
            + "\"Stage IDs\":[1,2],\"Properties\":{\"callSite.short\":\"x\",\"spark.sql.execution.id\":\"3\"}}"));
    // only accumulables that the agent looks at, and none without the mark that makes it one
    String accumulables = "[{\"ID\":1,\"Name\":\"internal.metrics.x\",\"Update\":5,\"Value\":5},"
        + "{\"ID\":2,\"Name\":\"rows\",\"Update\":\"9\",\"Value\":\"9\",\"Metadata\":\"sql\"},{\"ID\":3,\"Metadata\":\"else\"}]";
    assertTrue(slim("{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,\"Task Info\":{\"Accumulables\":" + accumulables + "}}")
        .endsWith("\"Accumulables\":[{\"ID\":2,\"Update\":\"9\",\"Metadata\":\"sql\"}]}}"));
    // of RDDs, the classes and scopes that there are, each once
    String rdds = "[{\"Name\":\"MapPartitionsRDD\"},{\"Name\":\"PythonRDD\",\"Callsite\":\"x\"},{\"Name\":\"PythonRDD\"}]";
    assertTrue(slim("{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":{\"Stage ID\":1,\"RDD Info\":" + rdds + "}}")
        .contains("\"RDD Info\":[{\"Name\":\"MapPartitionsRDD\"},{\"Name\":\"PythonRDD\"}]"));
    // and where they are kept, in how many partitions
    String kept = "[{\"RDD ID\":1,\"Name\":\"A\",\"Storage Level\":{\"Use Disk\":false,\"Use Memory\":true,\"Replication\":1},"
        + "\"Number of Partitions\":8},{\"RDD ID\":2,\"Name\":\"A\",\"Storage Level\":{\"Use Disk\":false,\"Use Memory\":true},"
        + "\"Number of Partitions\":8}]";
    assertTrue(slim("{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":{\"Stage ID\":1,\"RDD Info\":" + kept + "}}")
        .contains("\"RDD Info\":[{\"Name\":\"A\",\"Storage Level\":{\"Use Disk\":false,\"Use Memory\":true},\"Number of Partitions\":8}]"));
  }

  @Test
  void readsOddTypesAndEscapes() {
    assertEquals("{\"Event\":\"SparkListenerJobStart\",\"Job ID\":null}",
        slim("{ \"Event\" : \"SparkListenerJobStart\" , \"Job ID\" : null , \"Properties\":[] }"));
    String updates = "org.apache.spark.sql.execution.ui.SparkListenerDriverAccumUpdates";
    assertEquals("{\"Event\":\"" + updates + "\",\"executionId\":null,\"accumUpdates\":[\"3\",1.5,[2]]}",
        slim("{ \"Event\" : \"" + updates + "\" , \"executionId\" : null , \"accumUpdates\":[\"3\",1.5,\"x\",{},[2]], \"sparkPlanInfo\":[] }"));
    assertEquals("{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"a\\\"b\\\\c\\u0001é☕𝄞\"}",
        slim("{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"a\\\"b\\\\c\\u0001\\u00e9\\u2615\\ud834\\udd1e\"}"));
    for (String bad : new String[] {"", "[]", "7", "{}", "{\"Event\":\"SparkListenerJobStart\"", "{\"Event\":\"SparkListenerJobStart\"}x",
        "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":}", "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":\"7}"}) {
      assertThrows(IllegalArgumentException.class, () -> slim(bad), bad);
    }
  }

  @Test
  void isJsonWithinItsBoundsAndTheSameWhenItComesAgain() throws IOException {
    for (String log : REAL) {
      for (String line : Logs.lines(log)) {
        JsonNode before = JSON.readTree(line);
        JsonNode full = JSON.readTree(full(line));
        assertEquals(before.get("Event"), full.get("Event"));
        assertEquals(full(line), full(full(line)));
        if (EventTable.READ.fields(JsonFilter.name(line)) == null) continue;
        String slim = slim(line);
        JSON.readTree(slim);
        assertTrue(slim.length() <= line.length() + 8, line);
        assertEquals(slim, slim(slim));
        assertEquals(slim, slim(full(line)).replace("\"description\":\"\",", ""), "what the agent reads is in full mode, too");
        byte[] part = JsonFilter.part(line, redactor, 3000);
        assertTrue(part.length <= 3000);
        assertTrue(JSON.readTree(part).get(JsonFilter.CUT).asBoolean());
        String whole = new String(part, StandardCharsets.UTF_8);
        assertEquals(whole, slim(whole));
      }
    }
  }

  @Test
  void neitherBrokenNorDeepJsonCostsMoreThanAnException() throws IOException {
    Random random = new Random(11);
    for (String line : Logs.lines("ok_join").subList(0, 40)) {
      for (int n = 0; n < 40; n++) {
        StringBuilder broken = new StringBuilder(line);
        int at = random.nextInt(line.length());
        if (n % 2 == 0) broken.setCharAt(at, "{}[]\",:\\1".charAt(random.nextInt(9)));
        else broken.setLength(at);
        try {
          slim(broken.toString());
          full(broken.toString());
        } catch (IllegalArgumentException | StringIndexOutOfBoundsException refused) {
          assertNotNull(refused.getMessage());
        }
      }
    }
    StringBuilder deep = new StringBuilder("{\"Event\":\"SparkListenerJobStart\",\"Job ID\":1,\"x\":");
    for (int n = 0; n < 100_000; n++) deep.append("{\"x\":[");
    for (int n = 0; n < 100_000; n++) deep.append("]}");
    deep.append('}');
    assertEquals("{\"Event\":\"SparkListenerJobStart\",\"Job ID\":1}", slim(deep.toString()));
    assertTrue(full(deep.toString()).length() < 10_000);
  }

  @Test
  void ofADescriptionThereIsWhatSparkSaysOfAStream() {
    String id = "9dacecda-f953-4951-a5b7-d75b797274d6", run = "5599ac3a-0652-434f-9505-02c2377880cf";
    String event = "{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart\",\"executionId\":1";
    String sent = event + ",\"description\":\"id = " + id + "\\nrunId = " + run + "\"}";
    for (String described : new String[] {"clicks\\nid = " + id + "\\nrunId = " + run + "\\nbatch = 0", "id = " + id + "\\nrunId = " + run}) {
      assertEquals(sent, slim(event + ",\"description\":\"" + described + "\"}"));
      assertEquals(sent, full(event + ",\"description\":\"" + described + "\"}"));
    }
    for (String described : new String[] {"", "id = " + id, "runId = " + run + "\\nid = 7", "select 1 -- id = " + id + "\\nrunId = " + run,
        "id = " + id + " or 1\\nrunId = " + run}) {
      assertEquals(event + "}", slim(event + ",\"description\":\"" + described + "\"}"));
      assertEquals(event + ",\"description\":\"\"}", full(event + ",\"description\":\"" + described + "\"}"));
    }
  }

  @Test
  void secretsAndFreeTextsStay() throws IOException {
    String canary = "hunter2Canary";
    for (boolean slim : new boolean[] {true, false}) {
      for (String text : Arrays.asList(
          "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"Spark Properties\":{\"spark.app.name\":\"etl --password " + canary
              + "\",\"spark.my.key\":\"" + canary + "\",\"spark.sql.adaptive.authToken\":\"" + canary + "\",\"spark.master\":\"x://u:"
              + canary + "@h\"},\"Hadoop Properties\":{\"fs.s3a.secret.key\":\"" + canary
              + "\"},\"System Properties\":{\"sun.java.command\":\"" + canary + "\"},\"Classpath Entries\":{\"" + canary + "\":\"x\"}}",
          "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":1,\"Properties\":{\"spark.job.description\":\"" + canary + "\"}}",
          "{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart\",\"executionId\":1,\"description\":\"" + canary
              + "\",\"details\":\"" + canary + "\",\"physicalPlanDescription\":\"" + canary + "\",\"modifiedConfigs\":{\"a.b\":\"" + canary
              + "\"},\"sparkPlanInfo\":{\"nodeName\":\"Scan\",\"simpleString\":\"" + canary + "\",\"metadata\":{\"Location\":\""
              + canary + "\"},\"children\":[],\"metrics\":[]}}",
          "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":1,\"Job Result\":{\"Result\":\"JobFailed\",\"Exception\":{\"Message\":"
              + "\"jdbc:pg://u:" + canary + "@h/db?password=" + canary + "\",\"Stack Trace\":[{\"Method Name\":\"" + canary + "\"}]}}}")) {
        String out = slim ? slim(text) : full(text);
        assertFalse(out.contains(canary), out);
      }
    }
  }
}
