// Collecting: tasks that fill an accumulator of strings, which Spark then tells in the events of each of them and of their stage.
import java.util.Arrays;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.CollectionAccumulator;

public final class Collecting {
  private static final int TASKS = 4;

  private Collecting() {}

  public static long run(JavaSparkContext spark, int strings) {
    CollectionAccumulator<String> seen = spark.sc().collectionAccumulator("rows seen");
    spark.parallelize(Arrays.asList(0, 1, 2, 3), TASKS).map(task -> {
      for (int i = 0; i < strings / TASKS; i++) seen.add("row " + task + "-" + i);
      return task;
    }).count();
    return seen.value().size();
  }
}
