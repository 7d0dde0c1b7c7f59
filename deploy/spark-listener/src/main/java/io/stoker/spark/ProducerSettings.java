// ProducerSettings: the properties of Kafka's producer: ours, what the user set above them, and what keeps them true inside this
// jar (class names that were relocated, a codec that this Spark has). It must never log a value.
package io.stoker.spark;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

final class ProducerSettings {
  private static final int REQUEST_BYTES = 1 << 20, BUFFER_BYTES = 8 << 20;
  private static final String GZIP = "gzip";
  /** Written so that relocation does not change it: users write Kafka's own names, as in its documentation. */
  private static final String KAFKA = String.join(".", "org", "apache", "kafka", "");
  /** The package that its classes have here, with the last dot. */
  static final String OURS = ProducerConfig.class.getName().substring(0, ProducerConfig.class.getName().indexOf("clients."));
  /** What the client says when no broker's name can be resolved: a fault of today, not of the setting. */
  private static final String UNRESOLVED = "No resolvable bootstrap";
  /** How long one try to send may block our thread. It is short so that the thread sees when it must end. */
  static final int MAX_BLOCK_MS = 5000;

  /** Values that may be in an exception's text and must not be in a log. */
  private static final Pattern SECRET = Pattern.compile("(?i)password|secret|token|jaas|[.]key$|credential");

  private ProducerSettings() {}

  /** A producer for an application. Throws KafkaException; takes as long as the names of the brokers take. */
  static Producer<String, byte[]> open(Map<String, String> user, String appId) {
    Properties p = of(user, "stoker-listener-" + appId);
    String missing = replaceMissingCodec(p);
    if (missing != null) Log.info("this Spark has no " + missing + ": events are compressed with gzip");
    try {
      return new KafkaProducer<>(p, new StringSerializer(), new ByteArraySerializer());
    } catch (KafkaException e) {
      throw settingsAtFault(e) ? new BadSetting(scrubbed(Log.brief(e), user)) : e;
    }
  }

  /** The producer will never take these settings. */
  static final class BadSetting extends KafkaException {
    private static final long serialVersionUID = 1;

    BadSetting(String text) {
      super(text);
    }
  }

  private static boolean settingsAtFault(Throwable e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof ConfigException) return t.getMessage() == null || !t.getMessage().contains(UNRESOLVED);
    }
    return false;
  }

  /** A text without words of secret settings. */
  static String scrubbed(String text, Map<String, String> user) {
    String clean = text;
    for (Map.Entry<String, String> setting : user.entrySet()) {
      if (!SECRET.matcher(setting.getKey()).find()) continue;
      for (String word : setting.getValue().split("[\\s\"'=;]+")) {
        if (word.length() >= 3) clean = clean.replace(word, "[hidden]");
      }
    }
    return clean;
  }

  static Set<String> names() {
    return ProducerConfig.configNames();
  }

  /** Those that the producer does not know and no plug-in of it may. */
  static List<String> unknown(Collection<String> user) {
    return user.stream().filter(name -> !names().contains(name) && !name.startsWith("sasl.") && !name.startsWith("ssl."))
        .collect(Collectors.toList());
  }

  static int maxRequestBytes(Map<String, String> user) {
    try {
      return Integer.parseInt(user.getOrDefault(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, "" + REQUEST_BYTES));
    } catch (NumberFormatException e) {
      return REQUEST_BYTES; // the producer itself refuses it, with a better text
    }
  }

  static Properties of(Map<String, String> user, String clientId) {
    Properties p = new Properties();
    p.put(ProducerConfig.CLIENT_ID_CONFIG, clientId);
    // Idempotent, as is its default as long as the user sets nothing that forbids it.
    p.put(ProducerConfig.ACKS_CONFIG, "all");
    p.put(ProducerConfig.LINGER_MS_CONFIG, "100");
    p.put(ProducerConfig.BATCH_SIZE_CONFIG, "131072");
    // The one codec that every broker takes (Azure Event Hubs takes no other) and that needs no library.
    p.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, GZIP);
    p.put(ProducerConfig.COMPRESSION_GZIP_LEVEL_CONFIG, "1");
    p.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, "" + REQUEST_BYTES);
    p.put(ProducerConfig.BUFFER_MEMORY_CONFIG, "" + Math.max(BUFFER_BYTES, 2L * maxRequestBytes(user)));
    p.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, "" + MAX_BLOCK_MS);
    // What the producer took is never given up while the driver lives: a broker that is away fills buffer and queue, and the
    // queue knows what to drop.
    p.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, "" + Integer.MAX_VALUE);
    p.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, "5000");
    p.put(ProducerConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    p.put("auto.include.jmx.reporter", "false");
    p.put(ProducerConfig.ENABLE_METRICS_PUSH_CONFIG, "false");
    user.forEach((key, value) -> p.put(key, value.replace(KAFKA, OURS)));
    return p;
  }

  /** Takes gzip, which Java has, in place of a codec whose library this Spark does not have. The codec left, or null. */
  static String replaceMissingCodec(Properties p) {
    String codec = p.getProperty(ProducerConfig.COMPRESSION_TYPE_CONFIG);
    try {
      CompressionType type = CompressionType.forName(codec);
      try (java.io.OutputStream out =
          Compression.of(type).build().wrapForOutput(new ByteBufferOutputStream(4096), RecordBatch.CURRENT_MAGIC_VALUE)) {
        out.write("probe".getBytes(StandardCharsets.UTF_8));
      }
      return null;
    } catch (IllegalArgumentException unknown) {
      return null; // the producer refuses it
    } catch (Exception | LinkageError missing) {
      p.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, GZIP);
      return codec;
    }
  }
}
