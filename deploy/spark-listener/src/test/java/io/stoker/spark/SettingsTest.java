// SettingsTest: what is read of spark.stoker.*, what is said of what is wrong, and that docs/listener.md has the table.
package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SettingsTest {
  private static Settings of(String... pairs) {
    Map<String, String> properties = new HashMap<>();
    properties.put("spark.stoker.kafka.bootstrap.servers", "b:9092");
    for (int i = 0; i < pairs.length; i += 2) properties.put(pairs[i], pairs[i + 1]);
    return new Settings(properties);
  }

  @Test void defaultsWarnOfNothing() {
    Settings settings = of("spark.app.name", "x", "spark.stokerx.y", "z");
    assertEquals(List.of(), settings.warnings());
    assertEquals("spark-events", settings.text(Setting.TOPIC));
    assertEquals(16 << 20, settings.number(Setting.QUEUE_BYTES));
    assertEquals(10_000, settings.number(Setting.CLOSE_TIMEOUT));
    assertTrue(settings.flag(Setting.ENABLED));
    assertTrue(settings.slim());
  }

  @ParameterizedTest
  @CsvSource({"QUEUE_BYTES,512k,524288", "QUEUE_BYTES,16MB,16777216", "QUEUE_BYTES,1GiB,1073741824", "QUEUE_BYTES,7,7",
      "QUEUE_BYTES,999999999999999g,9223372035781033984", "CLOSE_TIMEOUT,0,0", "CLOSE_TIMEOUT,10,10000", "CLOSE_TIMEOUT,500ms,500",
      "CLOSE_TIMEOUT,2min,120000", "CLOSE_TIMEOUT, 1 h ,3600000", "QUEUE_EVENTS,30000,30000"})
  void quantities(Setting setting, String text, long value) {
    assertEquals(value, setting.parse(text));
  }

  @ParameterizedTest
  @CsvSource({"QUEUE_BYTES,lots", "QUEUE_BYTES,-1", "QUEUE_BYTES,1s", "CLOSE_TIMEOUT,10k", "CLOSE_TIMEOUT,''", "QUEUE_EVENTS,10k",
      "ENABLED,yes", "MODE,thin", "KAFKA_LOG,loud"})
  void badValuesAreRefused(Setting setting, String text) {
    assertThrows(IllegalArgumentException.class, () -> setting.parse(text));
    Settings settings = of(setting.key, text);
    assertEquals(1, settings.warnings().size(), settings.warnings().toString());
    assertTrue(settings.warnings().get(0).startsWith("bad value of " + setting.key + ": expected "));
    assertFalse(settings.warnings().get(0).contains("'" + text), "the value may be a secret");
  }

  @ParameterizedTest
  @EnumSource(Setting.class)
  void everyRowParsesItsDefaultAndHasASentence(Setting setting) {
    setting.parse(setting.byDefault);
    assertTrue(setting.doc.length() > 20 && setting.doc.endsWith("."), setting.doc);
    assertTrue(setting.key.startsWith(Setting.PREFIX) && !setting.key.startsWith(Setting.KAFKA_PREFIX));
  }

  @Test void unknownKeysAreToldWithTheNearest() {
    assertEquals(List.of("unknown setting spark.stoker.close.timout, is it spark.stoker.close.timeout?",
        "Kafka's producer knows no acksx, is it acks?", "Kafka's producer knows no bootstrap.server, is it bootstrap.servers?"),
        of("spark.stoker.close.timout", "1s", "spark.stoker.kafka.acksx", "1", "spark.stoker.kafka.bootstrap.server", "b",
            "spark.stoker.kafka.sasl.myown.thing", "x").warnings());
  }

  @Test void withoutBrokersItSaysSo() {
    Settings settings = new Settings(new HashMap<>());
    assertFalse(settings.hasBrokers());
    assertEquals(1, settings.warnings().size());
  }

  @Test void theProducerGetsWhatTheUserSaid() {
    Settings settings = of("spark.stoker.kafka.acks", "1", "spark.stoker.kafka.max.request.size", "10485760",
        "spark.stoker.kafka.sasl.jaas.config", "org.apache.kafka.common.security.plain.PlainLoginModule required;");
    Properties p = ProducerSettings.of(settings.kafka(), "me");
    assertEquals("1", p.get("acks"));
    assertEquals("20971520", p.get("buffer.memory"));
    assertEquals("gzip", p.get("compression.type"));
    assertNull(p.get("enable.idempotence"), "Kafka would refuse acks=1 beside it");
    assertTrue(p.getProperty("sasl.jaas.config").endsWith(".common.security.plain.PlainLoginModule required;"));
    assertEquals(10485760 - (48 << 10), settings.eventBytes());
    assertEquals(100_000, of("spark.stoker.event.bytes", "100000").eventBytes());
    assertEquals((1 << 20) - (48 << 10), of("spark.stoker.event.bytes", "1g").eventBytes());
  }

  /** Classes that are named as in Kafka's documentation are found in the jar, where they have another name. */
  @Test void namesOfKafkasClassesAreTranslated() throws Exception {
    Map<String, String> user = new HashMap<>();
    user.put("bootstrap.servers", "127.0.0.1:1");
    user.put("security.protocol", "SASL_PLAINTEXT");
    user.put("sasl.mechanism", "PLAIN");
    user.put("sasl.jaas.config", "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p\";");
    user.put("partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner");
    // By reflection: this test runs against the jar, too, and its own words for Kafka's types are not those of the jar.
    Method open = ProducerSettings.class.getDeclaredMethod("open", Map.class, String.class);
    ((AutoCloseable) open.invoke(null, user, "app")).close();
  }

  @Test void everyCodecThatIsThereIsTaken() {
    for (String codec : Arrays.asList("none", "gzip", "lz4", "snappy", "zstd")) {
      Properties p = ProducerSettings.of(of("spark.stoker.kafka.compression.type", codec).kafka(), "me");
      assertEquals(null, ProducerSettings.replaceMissingCodec(p));
      assertEquals(codec, p.get("compression.type"));
    }
  }

  @Test void secretsLeaveNoTextOfKafka() {
    Map<String, String> user = new HashMap<>();
    user.put("sasl.jaas.config", "a.b.Plain required username=\"u1\" password=\"hunter2\";");
    user.put("ssl.key.password", "opensesame");
    user.put("client.id", "visible");
    assertEquals("bad [hidden] and [hidden] of visible",
        ProducerSettings.scrubbed("bad hunter2 and opensesame of visible", user));
  }

  /** The page's table is printed by this test, with -Dprint.settings; else it is compared. */
  @Test void thePageHasTheTable() throws Exception {
    StringBuilder table = new StringBuilder("| key | default | meaning |\n|---|---|---|\n");
    for (Setting setting : Setting.values()) {
      table.append("| `").append(setting.key).append("` | ").append(setting.byDefault.isEmpty() ? "" : "`" + setting.byDefault + "`")
          .append(" | ").append(setting.doc).append(" |\n");
    }
    Path page = Paths.get("../../docs/listener.md");
    String text = new String(Files.readAllBytes(page), StandardCharsets.UTF_8);
    String begin = "<!-- printed by: deploy/spark-listener/build.sh -Dprint.settings -->\n", end = "<!-- end -->";
    int from = text.indexOf(begin) + begin.length(), to = text.indexOf(end, from);
    assertTrue(from >= begin.length() && to > from, "the page has a place for the table");
    if (System.getProperty("print.settings") != null) {
      Files.write(page, (text.substring(0, from) + table + text.substring(to)).getBytes(StandardCharsets.UTF_8));
    } else {
      assertEquals(table.toString(), text.substring(from, to));
    }
  }
}
