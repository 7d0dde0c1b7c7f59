// Identity: whose events these are, as key and headers of every record. It must never guess an application id: what has none waits.
package io.stoker.spark;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;

final class Identity {
  final String listenerVersion = version();
  final String sparkVersion;
  private String appId;
  private String attempt;

  /** appId and attempt may be null: not known yet. */
  Identity(String sparkVersion, String appId, String attempt) {
    this.sparkVersion = sparkVersion;
    know(appId, attempt);
  }

  /** What is known now; null tells nothing new. */
  synchronized void know(String id, String attemptId) {
    if (id != null) appId = id;
    if (attemptId != null) attempt = attemptId;
    notifyAll();
  }

  /** The application's id; waits so long for it, then null. */
  synchronized String await(long ms) throws InterruptedException {
    if (appId == null) wait(ms);
    return appId;
  }

  synchronized String appId() {
    return appId;
  }

  /** A record of this application; seq 0 is one that was not on the bus. */
  synchronized ProducerRecord<String, byte[]> record(String topic, byte[] value, long seq, long ms) {
    ProducerRecord<String, byte[]> record = new ProducerRecord<>(topic, null, ms, appId, value);
    Headers headers = record.headers();
    headers.add("app_id", bytes(appId));
    if (attempt != null) headers.add("app_attempt", bytes(attempt));
    if (seq > 0) headers.add("stoker_seq", bytes(Long.toString(seq)));
    headers.add("stoker_listener", bytes(listenerVersion));
    headers.add("spark_version", bytes(sparkVersion));
    return record;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String version() {
    Properties p = new Properties();
    try (InputStream in = Identity.class.getResourceAsStream("version.properties")) {
      if (in != null) p.load(in);
    } catch (IOException e) {
      // the jar is damaged; events go out all the same
    }
    return p.getProperty("version", "unknown");
  }
}
