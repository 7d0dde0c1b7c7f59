"""The jobs of the benchmark, by name: `tiny` is 10,000 tasks that do nothing, `wide` is SQL with wide plans, `quiet` waits.
Prints what it cost: seconds from the first word to the end of stop(), without those of the look at the heap; processor seconds
of the JVM; and the heap that is in use before stop()."""

import os
import sys
import time

from pyspark.sql import SparkSession, functions as F


def tiny(spark):
    for _ in range(5):
        spark.range(0, 2000, 1, 2000)._jdf.toJavaRDD().count()


def wide(spark):
    for i in range(6):
        columns = [F.sum(F.col("id") * (i + n)).alias(f"sum_{n}") for n in range(150)]
        a = spark.range(0, 20000, 1, 4).groupBy((F.col("id") % 50).alias("k")).agg(*columns)
        b = spark.range(0, 20000, 1, 4).groupBy((F.col("id") % 50).alias("k")).agg(*columns)
        a.join(b, "k").orderBy("k").collect()


def quiet(spark):
    spark.range(0, 10, 1, 10).selectExpr("java_method('java.lang.Thread', 'sleep', cast(4000 AS bigint))").collect()


def processor_seconds():
    """Of the driver's JVM, which started this Python."""
    with open(f"/proc/{os.getppid()}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


begun = time.monotonic()
session = SparkSession.builder.appName(f"load-{sys.argv[1]}").getOrCreate()
{"tiny": tiny, "wide": wide, "quiet": quiet}[sys.argv[1]](session)
took_s = time.monotonic() - begun
cpu_s = processor_seconds()
runtime = session.sparkContext._jvm.java.lang.Runtime.getRuntime()
for _ in range(3):
    runtime.gc()
heap_bytes = runtime.totalMemory() - runtime.freeMemory()
cpu_s -= processor_seconds()
begun = time.monotonic()
session.stop()
took_s += time.monotonic() - begun
print(f"cost: took_s={took_s:.3f} cpu_s={cpu_s + processor_seconds():.2f} heap_bytes={heap_bytes}")
