// Counts: what the listener did since the driver's start, by event name, and the StokerListenerReport that says so downstream.
// Totals only grow. It must hold names and numbers alone.
package io.stoker.spark;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

final class Counts {
  /** Names come from classes that others may load: so many are told apart, the rest is one. */
  private static final int NAMES_MAX = 200;

  /** Totals by event name. */
  static final class ByName {
    private final TreeMap<String, Long> counts = new TreeMap<>();
    private long total;

    synchronized void add(String name) {
      String key = counts.size() < NAMES_MAX || counts.containsKey(name) ? name : "other";
      counts.merge(key, 1L, Long::sum);
      total++;
    }

    synchronized long total() {
      return total;
    }

    synchronized void writeTo(StringBuilder out) {
      String before = "{";
      for (Map.Entry<String, Long> entry : counts.entrySet()) {
        Json.quote(out.append(before), entry.getKey()).append(':').append(entry.getValue());
        before = ",";
      }
      out.append(counts.isEmpty() ? "{}" : "}");
    }
  }

  /** Events that the listener was willing to send, each with a number of its own. */
  final AtomicLong accepted = new AtomicLong();
  /** Acknowledged by Kafka. */
  final AtomicLong sent = new AtomicLong();
  /** Sent with less in them than Spark wrote; nothing that Stoker reads is missing. */
  final AtomicLong slimmed = new AtomicLong();
  /** Sent, but something that Stoker reads is missing. */
  final ByName cut = new ByName();
  /** Given up while Kafka could not keep up. */
  final ByName dropped = new ByName();
  /** Could not be written as JSON, or Kafka refused it for good. */
  final ByName refused = new ByName();

  /** Changes exactly if a report would say something else than before, bar how many were accepted and sent. */
  long lossMark() {
    return slimmed.get() + cut.total() + dropped.total() + refused.total();
  }

  /** For the driver's log. */
  String summary() {
    return accepted + " events accepted, " + sent + " sent, " + dropped.total() + " dropped, " + refused.total() + " refused, "
        + cut.total() + " cut";
  }

  byte[] report(String appId, String version, boolean slim, long nowMs) {
    StringBuilder out = new StringBuilder("{\"Event\":\"StokerListenerReport\",\"Timestamp\":").append(nowMs);
    Json.quote(out.append(",\"App ID\":"), appId);
    Json.quote(out.append(",\"Listener Version\":"), version);
    out.append(",\"Mode\":\"").append(slim ? "slim" : "full");
    out.append("\",\"Accepted\":").append(accepted).append(",\"Sent\":").append(sent).append(",\"Dropped\":");
    dropped.writeTo(out);
    out.append(",\"Cut\":");
    cut.writeTo(out);
    out.append(",\"Slimmed\":").append(slimmed).append(",\"Refused\":");
    refused.writeTo(out);
    return out.append('}').toString().getBytes(StandardCharsets.UTF_8);
  }
}
