"""What `make demo-spark` runs: an ordinary PySpark job with two troubles that real ones have. Nine of ten orders are of one customer, so
one task of a stage does most of the work; and a sort does not fit into the memory it gets, so it goes to disk.
"""

from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.appName("orders-daily").getOrCreate()


def orders(count):
    customer = F.when(F.col("id") % 10 < 9, 0).otherwise(F.col("id") % 97)
    return spark.range(0, count, 1, 8).select(customer.alias("customer"), F.col("id").alias("order"))


spark.sparkContext.setJobDescription("price every order, by customer")
price = F.col("order").cast("string")
for _ in range(10):  # stands for whatever a job computes for a row
    price = F.sha2(price, 256)
orders(2_000_000).repartition(24, "customer").withColumn("price", price).groupBy("customer").agg(F.max("price")).collect()

spark.sparkContext.setJobDescription("sort them all")
noted = orders(4_000_000).withColumn("note", F.sha2(F.col("order").cast("string"), 512))
noted.repartition(2).sortWithinPartitions("note").write.format("noop").mode("overwrite").save()
spark.stop()
