"""One long stage in which a few tasks take most of the time; then a short one, and the end. Sleeping costs no processor.

Arguments: how long the stage lasts at least, in seconds; with `forever` behind it a stage without an end follows."""

import sys

from pyspark.sql import SparkSession

seconds = float(sys.argv[1])
spark = SparkSession.builder.appName("skewed").getOrCreate()


def sleeping(millis):
    """A stage in which the task of each row sleeps for so long; `millis` is SQL of id."""
    spark.range(0, 60, 1, 60).selectExpr(f"java_method('java.lang.Thread', 'sleep', cast({millis} AS bigint))").collect()


# Two slots: tasks 3, 4, 5 and 6 sleep for half of the time each, beside 56 of 50 ms.
sleeping(f"if(id BETWEEN 3 AND 6, {int(seconds * 500)}, 50)")
sleeping("600000" if "forever" in sys.argv else "100")
spark.stop()
