// SlimLog: an event log as slim mode would have sent it, for who wants to see or keep that: java -cp JAR io.stoker.spark.SlimLog
// [--full] <LOG >SLIM. Reads and writes one event a line; a line that is no event is left out and told. Needs no Spark.
package io.stoker.spark;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

public final class SlimLog {
  private static final int MOST = 1_000_000;

  private SlimLog() {}

  public static void main(String[] args) throws IOException {
    boolean full = args.length > 0 && args[0].equals("--full");
    Redactor redactor = new Redactor("", Settings.REDACTION_DEFAULT, false);
    int bad = 0;
    try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        OutputStream out = new BufferedOutputStream(System.out)) {
      for (String line; (line = in.readLine()) != null;) {
        try {
          byte[] bytes = slim(line, full, redactor);
          if (bytes == null) continue;
          out.write(bytes);
          out.write('\n');
        } catch (IllegalArgumentException noEvent) {
          bad++;
        }
      }
    }
    if (bad > 0) System.err.println("SlimLog: " + bad + " lines are no events");
  }

  /** null for an event that the agent does not read. */
  private static byte[] slim(String line, boolean full, Redactor redactor) {
    byte[] bytes = full ? JsonFilter.whole(line, false, redactor, false, MOST) : null;
    if (bytes != null) return bytes;
    if (EventTable.READ.fields(JsonFilter.name(line)) == null) return null;
    bytes = JsonFilter.whole(line, true, redactor, false, MOST);
    return bytes != null ? bytes : JsonFilter.part(line, redactor, MOST);
  }
}
