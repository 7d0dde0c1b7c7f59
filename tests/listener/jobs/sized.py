"""As much work as it is told to do: groups so many numbers. An odd size fails."""

import sys

from pyspark.sql import SparkSession, functions as F

size = int(sys.argv[1])
spark = SparkSession.builder.appName("sized").config("spark.master", "local[2]").config("spark.ui.enabled", "false").getOrCreate()
numbers = spark.range(0, size, 1, 4).withColumn("k", F.col("id") % 13)
assert numbers.groupBy("k").agg(F.sum("id")).count() == 13
assert size % 2 == 0, "an odd size"
spark.stop()
