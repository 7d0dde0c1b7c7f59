// Replay LOG: reads an event log the way Spark's History Server does for one application: the replay bus feeding the
// status listener into an in-memory store. Built and run by peers.sh; prints how many stages and tasks it holds.
import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import org.apache.spark.SparkConf;
import org.apache.spark.scheduler.ReplayListenerBus;
import org.apache.spark.status.AppStatusListener;
import org.apache.spark.status.ElementTrackingStore;
import org.apache.spark.util.kvstore.InMemoryStore;

public final class Replay {
    public static void main(String[] args) throws Exception {
        SparkConf conf = new SparkConf(false);
        ElementTrackingStore store = new ElementTrackingStore(new InMemoryStore(), conf);
        ReplayListenerBus bus = new ReplayListenerBus();
        bus.addListener(new AppStatusListener(store, conf, false, scala.Option.empty(), scala.Option.empty()));
        try (InputStream in = new BufferedInputStream(new FileInputStream(args[0]), 1 << 16)) {
            bus.replay(in, args[0], false, ReplayListenerBus.SELECT_ALL_FILTER());
        }
        System.out.println(store.count(Class.forName("org.apache.spark.status.StageDataWrapper")) + " stages, "
            + store.count(Class.forName("org.apache.spark.status.TaskDataWrapper")) + " tasks");
        store.close();
    }
}
