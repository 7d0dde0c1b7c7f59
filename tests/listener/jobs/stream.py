"""Structured streaming: rows of the rate source, aggregated with state and thrown away, for some batches."""

import time

from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.appName("stream").config("spark.sql.shuffle.partitions", "2").getOrCreate()
rows = spark.readStream.format("rate").option("rowsPerSecond", 500).load()
query = (rows.groupBy((F.col("value") % 10).alias("k")).count().writeStream.queryName("counts").outputMode("complete")
         .format("memory").trigger(processingTime="500 milliseconds").start())
deadline = time.monotonic() + 60
while query.lastProgress is None or query.lastProgress["batchId"] < 4:
    assert time.monotonic() < deadline and query.exception() is None, query.exception()
    time.sleep(0.1)
query.stop()
spark.stop()
