// CountsTest: the report as the agent reads it, whatever the names are.
package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class CountsTest {
  private final Counts counts = new Counts();

  private JsonNode report(String appId) throws Exception {
    return new ObjectMapper().readTree(counts.report(appId, "1.2.3", false, 42));
  }

  @Test void totalsByKind() throws Exception {
    counts.accepted.set(9);
    counts.sent.set(4);
    counts.slimmed.set(1);
    for (int i = 0; i < 3; i++) counts.dropped.add("SparkListenerTaskEnd");
    counts.dropped.add("SparkListenerJobEnd");
    counts.cut.add("b");
    counts.refused.add("c");
    assertEquals("{\"Event\":\"StokerListenerReport\",\"Timestamp\":42,\"App ID\":\"app\",\"Listener Version\":\"1.2.3\",\"Mode\":\"full\","
        + "\"Accepted\":9,\"Sent\":4,\"Dropped\":{\"SparkListenerJobEnd\":1,\"SparkListenerTaskEnd\":3},\"Cut\":{\"b\":1},\"Slimmed\":1,"
        + "\"Refused\":{\"c\":1}}", new String(counts.report("app", "1.2.3", false, 42)));
    assertEquals(7, counts.lossMark());
  }

  @Test void namesAreDataAndBounded() throws Exception {
    String odd = "a\"b\\c\n\u00e4\u2028";
    counts.dropped.add(odd);
    for (int i = 0; i < 1000; i++) counts.dropped.add("x" + i);
    JsonNode report = report(odd);
    assertEquals(odd, report.get("App ID").asText());
    assertEquals(1, report.get("Dropped").get(odd).asLong());
    assertTrue(report.get("Dropped").size() <= 201, "names");
    long sum = 0;
    for (JsonNode n : report.get("Dropped")) sum += n.asLong();
    assertEquals(1001, sum);
  }
}
