// SparkJson: Spark's own JSON of an event (JsonProtocol, by reflection: its method differs between versions). It takes what it is
// given whatever its size, so it must be given nothing that Trimmer or EventWriter has not looked at.
package io.stoker.spark;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.apache.spark.scheduler.SparkListenerEvent;

final class SparkJson {
  private final Method toText;
  private final Method toTree;
  private final Method render;
  private final Method compact;
  private final Object json4s;
  private final Object formats;

  /** Throws what names the class or method that this Spark does not have. Loads no more than that. */
  SparkJson() throws ReflectiveOperationException {
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

  /** Throws whatever Spark throws. */
  String of(Object event) throws Exception {
    try {
      if (toText != null) return (String) toText.invoke(null, event);
      return (String) compact.invoke(json4s, render.invoke(json4s, toTree.invoke(null, event), formats));
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof Error) throw (Error) e.getCause();
      throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
    }
  }
}
