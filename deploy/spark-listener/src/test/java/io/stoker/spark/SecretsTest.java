package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SecretsTest {
  private final Secrets secrets = new Secrets(EventTable.READ);

  @Test
  void hidesWhatIsOneAndLeavesWhatIsNot() {
    String[][] cases = {
      {"jdbc:postgresql://joe:pw@h:5432/db", "jdbc:postgresql://[hidden]@h:5432/db"},
      {"connect to abfss://data@acct.dfs.core.windows.net/x", null},
      {"mongodb://u:p@ss@host/x", "mongodb://[hidden]@host/x"},
      {"jdbc:oracle:thin:etl/Kanarien7vogel9@db", "jdbc:oracle:thin:[hidden]@db"},
      {"jdbc:oracle:oci8:etl/p@ss/word@//db:1521/x y", "jdbc:oracle:oci8:[hidden]@//db:1521/x y"},
      {"jdbc:oracle:thin:@//db:1521/x", null},
      {"fs.s3a.secret.key=abc123 next", "fs.s3a.secret.key=[hidden] next"},
      {"{\"password\": \"a b c\", \"user\": \"joe\"}", "{\"password\": \"[hidden]\", \"user\": \"joe\"}"},
      {"{\\\"apiKey\\\":\\\"abc\\\"}", "{\\\"apiKey\\\":\\\"[hidden]\\\"}"},
      {"run --password hunter2 --rows 7", "run --password [hidden] --rows 7"},
      {"CREATE USER x IDENTIFIED BY 'abc'", "CREATE USER x IDENTIFIED BY '[hidden]'"},
      {"Authorization: Basic dXNlcjpwYXNz", "Authorization: [hidden]"},
      {"sent Bearer abcdef012345", "sent Bearer [hidden]"},
      {"key AKIAIOSFODNN7EXAMPLE used", "key [hidden] used"},
      {"bypass=1 compass:north", null},
      {"password: string, token: struct<a:int>", null},
      {"password=${DB_PASSWORD}", null},
      {"java.lang.OutOfMemoryError: Java heap space", null},
      {"count at NativeMethodAccessorImpl.java:0", null},
      {"-----BEGIN RSA KEY-----\nabc\n-----END RSA KEY-----\nrest", "[hidden]\nrest"},
      {"/data/part-00000-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0-c000.snappy.parquet", null},
    };
    for (String[] c : cases) assertEquals(c[1] == null ? c[0] : c[1], secrets.hide(c[0]));
  }

  @Test
  void hiddenTextIsLeftAlone() {
    String[] parts = {"password", "=", ":", " ", "'", "\"", "token", "://", "@", "a:b", "[hidden]", "\\", "Bearer ", "AKIA", "x1y2z3w4",
      "--", "eyJabcdefghijk", "\n", "secret", "é"};
    Random random = new Random(5);
    for (int n = 0; n < 20_000; n++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(9); i >= 0; i--) text.append(parts[random.nextInt(parts.length)]);
      String once = secrets.hide(text.toString());
      assertEquals(once, secrets.hide(once), text.toString());
    }
  }

  /** The lines by which the agent's own scrubber is judged: what is secret in them says so. */
  @Test
  void knowsTheAgentsExamples() throws IOException {
    List<String> kept = new ArrayList<>();
    List<String> all = Files.readAllLines(Paths.get("../../tests/fixtures/scrub/secrets.txt"));
    for (String line : all) {
      if (secrets.hide(line).contains("S3cr3t")) kept.add(secrets.hide(line));
    }
    assertEquals(Collections.emptyList(), kept);
    assertTrue(all.size() > 300);
    int changed = 0;
    List<String> ordinary = Files.readAllLines(Paths.get("../../tests/fixtures/scrub/ordinary.txt"));
    for (String line : ordinary) changed += secrets.hide(line).equals(line) ? 0 : 1;
    assertTrue(changed * 10 < ordinary.size(), changed + " of " + ordinary.size() + " lines without a secret are changed");
  }

  @Test
  void propertiesByTheList() {
    Redactor redactor = new Redactor("my.app.*, other.secret.x", Settings.REDACTION_DEFAULT, false);
    assertEquals("4g", redactor.property("spark.executor.memory", "4g"));
    assertEquals("true", redactor.property("spark.sql.adaptive.enabled", "true"));
    assertNull(redactor.property("spark.hadoop.fs.s3a.access.key", "x"));
    assertNull(redactor.property("spark.job.description", "select 1"));
    assertNull(redactor.property("spark.kubernetes.driver.label.db-password", "x"));
    assertEquals("7", redactor.property("my.app.rows", "7"));
    assertNull(redactor.property("my.app.token", "7"));
    assertNull(redactor.property("other.secret.x", "7"));
    assertEquals(Redactor.HIDDEN, redactor.property("spark.app.name", "my Password is 7"));
    assertEquals("select 1", new Redactor("spark.job.description", "x^", false).property("spark.job.description", "select 1"));
    String cut = redactor.property("spark.app.name", new String(new char[1000]).replace("\0", "é"));
    assertTrue(cut.getBytes(StandardCharsets.UTF_8).length <= Redactor.PROPERTY_MOST);
    assertFalse(cut.contains("?"));
  }
}
