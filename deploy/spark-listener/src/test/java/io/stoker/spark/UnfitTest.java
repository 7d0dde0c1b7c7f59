// UnfitTest: a Spark that lacks a class: one line in the driver's log that names it, and no exception to Spark, at the start or later.
package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.lang.reflect.Method;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkFirehoseListener;
import org.apache.spark.Success$;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class UnfitTest {
  private final Lines lines = new Lines();

  @AfterEach void stop() {
    lines.close();
  }

  /** Our classes anew, in a Spark without one class. */
  private static final class Without extends ClassLoader {
    private final String hidden;

    Without(String hidden) {
      super(UnfitTest.class.getClassLoader());
      this.hidden = hidden;
    }

    @Override protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.equals(hidden)) throw new ClassNotFoundException(name);
      if (!name.startsWith("io.stoker.spark.")) return super.loadClass(name, resolve);
      Class<?> loaded = findLoadedClass(name);
      return loaded != null ? loaded : ours(name);
    }

    private Class<?> ours(String name) throws ClassNotFoundException {
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] code = in.readAllBytes();
        return defineClass(name, code, 0, code.length);
      } catch (java.io.IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  private static SparkFirehoseListener listenerWithout(String hidden, String closeTimeout) throws Exception {
    SparkConf conf = new SparkConf(false).set("spark.stoker.kafka.bootstrap.servers", "127.0.0.1:1").set("spark.app.id", "a")
        .set("spark.stoker.close.timeout", closeTimeout);
    Class<?> type = new Without(hidden).loadClass("io.stoker.spark.StokerListener");
    return (SparkFirehoseListener) type.getConstructor(SparkConf.class).newInstance(conf);
  }

  private String onlyLine() {
    assertEquals(1, lines.warnings.size(), lines.warnings.toString());
    return lines.warnings.get(0);
  }

  @Test void aClassThatIsMissingAtTheStartSwitchesItOff() throws Exception {
    SparkFirehoseListener listener = listenerWithout("org.apache.spark.util.JsonProtocol", "0");
    listener.onEvent(new SparkListenerApplicationEnd(1));
    assertTrue(onlyLine().startsWith("off: it does not fit Spark 3.5.8, which lacks ClassNotFoundException"
        + " (org.apache.spark.util.JsonProtocol)"), onlyLine());
  }

  @Test void aClassThatIsMissingLaterSwitchesItOffToo() throws Exception {
    SparkFirehoseListener listener = listenerWithout("org.apache.spark.ExceptionFailure", "0");
    for (int i = 0; i < 3; i++) listener.onEvent(new SparkListenerTaskEnd(1, 0, "ResultTask", Success$.MODULE$, null, null, null));
    listener.onEvent(new SparkListenerApplicationEnd(1));
    assertTrue(onlyLine().startsWith("off: it does not fit Spark 3.5.8, which lacks NoClassDefFoundError"), onlyLine());
    assertTrue(onlyLine().contains("org/apache/spark/ExceptionFailure"), onlyLine());
  }

  @Test void switchedOffItDoesNotHoldUpTheEndOfTheJvm() throws Exception {
    SparkFirehoseListener listener = listenerWithout("org.apache.spark.ExceptionFailure", "10min");
    listener.onEvent(new SparkListenerTaskEnd(1, 0, "ResultTask", Success$.MODULE$, null, null, null));
    call(call(listener, "tap"), "exit"); // what waited for Kafka is not waited for
    assertTrue(onlyLine().startsWith("off: "), onlyLine());
  }

  private static Object call(Object of, String name) throws Exception {
    Method method = of.getClass().getDeclaredMethod(name);
    method.setAccessible(true);
    return method.invoke(of);
  }
}
