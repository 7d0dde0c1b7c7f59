// TimedListener: the listener with a watch: how long Spark's bus was held up by each event. At the application's end it says so in
// one line. The first event of a class loads classes and is counted apart, as is the application's end, which may wait.
import io.stoker.spark.StokerListener;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.HashSet;
import java.util.Set;
import org.apache.spark.SparkConf;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.scheduler.SparkListenerEvent;

public class TimedListener extends StokerListener {
  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private final Set<Class<?>> seen = new HashSet<>();
  private long events, totalNs, firstNs, maxNs, maxCpuNs;
  private String maxName = "";

  public TimedListener(SparkConf conf) {
    super(conf);
  }

  @Override public void onEvent(SparkListenerEvent event) {
    long cpuNs = threads.getCurrentThreadCpuTime(), ns = System.nanoTime();
    super.onEvent(event);
    ns = System.nanoTime() - ns;
    cpuNs = threads.getCurrentThreadCpuTime() - cpuNs;
    if (event instanceof SparkListenerApplicationEnd) {
      System.err.printf("bus: events=%d mean_us=%.1f max_ms=%.3f max_cpu_ms=%.3f of=%s first_ms=%.3f end_ms=%.1f%n", events,
          totalNs / 1e3 / Math.max(1, events), maxNs / 1e6, maxCpuNs / 1e6, maxName, firstNs / 1e6, ns / 1e6);
    } else if (seen.add(event.getClass())) {
      firstNs = Math.max(firstNs, ns);
    } else {
      events++;
      totalNs += ns;
      maxCpuNs = Math.max(maxCpuNs, cpuNs);
      if (ns > maxNs) maxName = event.getClass().getSimpleName();
      maxNs = Math.max(maxNs, ns);
    }
  }
}
