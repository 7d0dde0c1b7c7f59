"""A job that fails: a stage gives up and nobody catches it."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("failing").getOrCreate()
spark.range(0, 1000, 1, 4).selectExpr("sum(id)").collect()
spark.range(0, 1000, 1, 4).selectExpr("if(id = 777, raise_error('row 777 is bad'), 'fine') AS said").distinct().collect()
