"""A batch job: RDDs of the JVM (parallel, shuffled, cached), then a file written and read again."""

import sys

from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.appName("batch").getOrCreate()
spark.sparkContext.setJobDescription("numbers")
numbers = spark.range(0, 100000, 1, 12)._jdf.toJavaRDD()
assert numbers.distinct(6).cache().count() == 100000
assert numbers.repartition(3).count() == 100000
where = sys.argv[1]
spark.range(0, 200000, 1, 4).withColumn("k", F.col("id") % 7).write.mode("overwrite").partitionBy("k").parquet(where)
assert spark.read.parquet(where).groupBy("k").agg(F.sum("id")).count() == 7
spark.stop()
