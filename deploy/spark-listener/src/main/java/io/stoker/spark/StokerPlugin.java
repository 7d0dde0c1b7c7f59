// StokerPlugin: the other way in, spark.plugins: the same listener, and its figures among Spark's own metrics. On the driver alone.
// It must never register a second listener beside one from spark.extraListeners.
package io.stoker.spark;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.Collections;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;

public class StokerPlugin implements SparkPlugin {
  @Override public DriverPlugin driverPlugin() {
    return new Driver();
  }

  @Override public ExecutorPlugin executorPlugin() {
    return null;
  }

  private static final class Driver implements DriverPlugin {
    private Tap tap;

    /** Within SparkContext's constructor, before there is an application id. */
    @Override public Map<String, String> init(SparkContext context, PluginContext plugin) {
      try {
        StokerListener listener = new StokerListener(context.conf(), false);
        tap = listener.tap();
        if (tap != null) context.addSparkListener(listener);
      } catch (Throwable e) {
        Log.warn("off: " + Log.brief(e));
      }
      return Collections.emptyMap();
    }

    @Override public void registerMetrics(String appId, PluginContext plugin) {
      if (tap == null) return;
      try {
        MetricRegistry metrics = plugin.metricRegistry();
        gauge(metrics, "accepted", () -> tap.counts().accepted.get());
        gauge(metrics, "sent", () -> tap.counts().sent.get());
        gauge(metrics, "dropped", () -> tap.counts().dropped.total());
        gauge(metrics, "refused", () -> tap.counts().refused.total());
        gauge(metrics, "queueBytes", () -> tap.queueBytes());
      } catch (Throwable e) {
        Log.warn("has no metrics: " + Log.brief(e));
      }
    }

    /** Spark calls it also if the context could not be made. */
    @Override public void shutdown() {
      if (tap != null) tap.shutdown();
    }

    private static void gauge(MetricRegistry metrics, String name, Gauge<Long> gauge) {
      metrics.register(name, gauge);
    }
  }
}
