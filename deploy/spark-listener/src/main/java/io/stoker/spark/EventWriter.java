// EventWriter: a Spark event as the bytes that leave the driver: Spark's own JSON (JsonProtocol, by reflection: its method
// differs between versions), without what must not leave. Called on the bus for what is mutable and on the sender's thread for the
// rest, at the same time: it must keep no state between events but counts, and never return more bytes than the limit.
package io.stoker.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.spark.scheduler.SparkListenerEvent;

final class EventWriter {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String HIDDEN = "*********(redacted)";
  private static final List<String> WITH_PROPERTIES = Arrays.asList("{\"Event\":\"SparkListenerEnvironmentUpdate\"",
      "{\"Event\":\"SparkListenerJobStart\"", "{\"Event\":\"SparkListenerStageSubmitted\"");
  /** Of EnvironmentUpdate, all else stays here. */
  private static final List<String> KEPT = Arrays.asList("Event", "Spark Properties");

  private final int maxBytes;
  private final Pattern redaction;
  private final Method toText;
  private final Method toTree;
  private final Method render;
  private final Method compact;
  private final Object json4s;
  private final Object formats;

  /** Throws what names the class or method that this Spark does not have. Loads no more than that. */
  EventWriter(Settings settings, Counts counts) throws ReflectiveOperationException {
    maxBytes = settings.eventBytes();
    redaction = Pattern.compile(settings.redaction());
    Class<?> protocol = Class.forName("org.apache.spark.util.JsonProtocol");
    Method text = null;
    try {
      text = protocol.getMethod("sparkEventToJsonString", SparkListenerEvent.class);
    } catch (NoSuchMethodException before34) {
      // then it must be the other
    }
    toText = text;
    if (text != null) {
      toTree = render = compact = null;
      json4s = formats = null;
      return;
    }
    toTree = protocol.getMethod("sparkEventToJson", SparkListenerEvent.class);
    Class<?> methods = Class.forName("org.json4s.jackson.JsonMethods$");
    Class<?> value = Class.forName("org.json4s.JsonAST$JValue");
    render = methods.getMethod("render", value, Class.forName("org.json4s.Formats"));
    compact = methods.getMethod("compact", value);
    json4s = methods.getField("MODULE$").get(null);
    formats = Class.forName("org.json4s.DefaultFormats$").getField("MODULE$").get(null);
  }

  /** Whether events of this kind are sent at all. */
  boolean wants(EventKind kind) {
    return true;
  }

  /** The event's JSON, redacted, eventBytes() of the settings at most. Throws whatever Spark throws. */
  byte[] write(EventKind kind, SparkListenerEvent event) throws Exception {
    byte[] bytes = redacted(json(event)).getBytes(StandardCharsets.UTF_8);
    if (bytes.length > maxBytes) throw new IllegalArgumentException(bytes.length + " bytes, more than " + maxBytes);
    return bytes;
  }

  private String json(SparkListenerEvent event) throws Exception {
    try {
      if (toText != null) return (String) toText.invoke(null, event);
      return (String) compact.invoke(json4s, render.invoke(json4s, toTree.invoke(null, event), formats));
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof Error) throw (Error) e.getCause();
      throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
    }
  }

  /** Spark hides secrets in its event log alone; what a listener sees is in the clear. */
  private String redacted(String json) throws Exception {
    if (WITH_PROPERTIES.stream().noneMatch(json::startsWith)) return json;
    ObjectNode event = (ObjectNode) JSON.readTree(json);
    if (event.has("Spark Properties")) event.retain(KEPT);
    for (String name : Arrays.asList("Spark Properties", "Properties")) {
      if (event.get(name) instanceof ObjectNode) hide((ObjectNode) event.get(name));
    }
    return JSON.writeValueAsString(event);
  }

  private void hide(ObjectNode properties) {
    List<String> secret = new ArrayList<>();
    properties.fields().forEachRemaining((Map.Entry<String, JsonNode> property) -> {
      String key = property.getKey();
      boolean ours = key.startsWith(Setting.KAFKA_PREFIX);
      if (ours || redaction.matcher(key).find() || redaction.matcher(property.getValue().asText()).find()) secret.add(key);
    });
    secret.forEach(key -> properties.put(key, HIDDEN));
  }
}
