"""Stages of many tasks, which do nothing or sleep; says its id at the start, and at its end what it got and the heap it took.

Arguments: tasks of a stage, stages, milliseconds that a task sleeps."""

import sys

from pyspark.sql import SparkSession

tasks, stages, sleep_ms = map(int, sys.argv[1:4])
spark = SparkSession.builder.appName("busy").getOrCreate()
print("application", spark.sparkContext.applicationId, flush=True)
slept = f"length(java_method('java.lang.Thread', 'sleep', {sleep_ms}L)) * 0" if sleep_ms else "0"
total = sum(spark.range(0, tasks, 1, tasks).selectExpr(f"id + {slept} AS id").selectExpr("sum(id)").collect()[0][0]
            for _ in range(stages))
pools = spark._jvm.java.lang.management.ManagementFactory.getMemoryPoolMXBeans()
print("heap", sum(pool.getPeakUsage().getUsed() for pool in pools if str(pool.getType()) == "Heap memory") >> 20, flush=True)
print("result", total, flush=True)
spark.stop()
