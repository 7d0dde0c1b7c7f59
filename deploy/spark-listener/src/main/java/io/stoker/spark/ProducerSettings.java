// ProducerSettings: the properties of Kafka's producer: ours, what the user set above them, and what keeps them true inside this
// jar (class names that were relocated, a codec that this Spark has). It must never log a value.
package io.stoker.spark;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

final class ProducerSettings {
  private static final int REQUEST_BYTES = 1 << 20, BUFFER_BYTES = 8 << 20;
  /** Written so that relocation does not change it: users write Kafka's own names, as in its documentation. */
  private static final String KAFKA = String.join(".", "org", "apache", "kafka", "");
  private static final String OURS =
      ProducerConfig.class.getName().substring(0, ProducerConfig.class.getName().indexOf("clients."));
  /** How long one try to send may block our thread. It is short so that the thread sees when it must end. */
  static final int MAX_BLOCK_MS = 5000;

  private ProducerSettings() {}

  static int maxRequestBytes(Map<String, String> user) {
    try {
      return Integer.parseInt(user.getOrDefault(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, "" + REQUEST_BYTES));
    } catch (NumberFormatException e) {
      return REQUEST_BYTES; // the producer itself refuses it, with a better text
    }
  }

  /** Throws nothing; what is wrong is told by the producer's constructor. */
  static Properties of(Map<String, String> user, String clientId) {
    Properties p = new Properties();
    p.put(ProducerConfig.CLIENT_ID_CONFIG, clientId);
    p.put(ProducerConfig.ACKS_CONFIG, "all");
    p.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    p.put(ProducerConfig.LINGER_MS_CONFIG, "100");
    p.put(ProducerConfig.BATCH_SIZE_CONFIG, "131072");
    p.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
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
      p.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "gzip");
      return codec;
    }
  }
}
