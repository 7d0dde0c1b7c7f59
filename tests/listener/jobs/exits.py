"""A job that never calls stop() and leaves with exit code 3: by Python's sys.exit, or by System.exit in the JVM."""

import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("exits").getOrCreate()
spark.range(0, 100000, 1, 4).selectExpr("sum(id)").collect()
if sys.argv[1] == "jvm":
    spark.sparkContext._jvm.java.lang.System.exit(3)
sys.exit(3)
