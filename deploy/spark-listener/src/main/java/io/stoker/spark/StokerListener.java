// StokerListener: the class that users name in spark.extraListeners: every event of the driver's bus goes to a Kafka topic. It must
// never fail an application: whatever is wrong, it says so in one line and is off.
package io.stoker.spark;

import java.lang.reflect.Method;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkFirehoseListener;
import org.apache.spark.scheduler.SparkListenerEvent;

public class StokerListener extends SparkFirehoseListener {
  /** The applications (by their SparkConf, which is one object for each context) that have a listener already. */
  private static final Set<SparkConf> TAPPED = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  private final Tap tap;

  /** As Spark makes it: the context has set the application's id. */
  public StokerListener(SparkConf conf) {
    this(conf, true);
  }

  /** idIsSet: else the id in conf may be that of an application before, and ApplicationStart tells. */
  StokerListener(SparkConf conf, boolean idIsSet) {
    Tap made = null;
    try {
      made = tapOf(conf, idIsSet);
    } catch (Throwable e) {
      Log.warn(Unfit.text(sparkVersion(), e));
    }
    tap = made;
  }

  private static Tap tapOf(SparkConf conf, boolean idIsSet) throws ReflectiveOperationException {
    Map<String, String> properties = new HashMap<>();
    for (scala.Tuple2<String, String> property : conf.getAll()) properties.put(property._1(), property._2());
    Settings settings = new Settings(properties);
    if (!settings.flag(Setting.ENABLED) || !TAPPED.add(conf)) return null;
    settings.warnings().forEach(Log::warn);
    if (!settings.hasBrokers()) return null;
    Log.quietKafka(settings.text(Setting.KAFKA_LOG));
    String version = sparkVersion();
    Log.info("events go to topic " + settings.text(Setting.TOPIC) + " at " + settings.kafka().get("bootstrap.servers") + " (Spark "
        + version + ", " + settings.text(Setting.MODE) + " mode)");
    return new Tap(settings, version, idIsSet ? properties.get("spark.app.id") : null, properties.get("spark.app.attempt.id"),
        appId -> ProducerSettings.open(settings.kafka(), appId));
  }

  private static String sparkVersion() {
    try {
      Class<?> constants = Class.forName("org.apache.spark.package$");
      Method version = constants.getMethod("SPARK_VERSION");
      return (String) version.invoke(constants.getField("MODULE$").get(null));
    } catch (ReflectiveOperationException | LinkageError e) {
      return "unknown";
    }
  }

  @Override public void onEvent(SparkListenerEvent event) {
    if (tap != null) tap.onEvent(event);
  }

  /** Null if it is off. */
  Tap tap() {
    return tap;
  }
}
