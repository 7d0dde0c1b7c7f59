"""Structured streaming: small files, one a batch, aggregated with state; it ends by itself when all are read, so that no batch is
cut off."""

from pyspark.sql import SparkSession, functions as F

BATCHES = 5
spark = SparkSession.builder.appName("stream").config("spark.sql.shuffle.partitions", "2").getOrCreate()
spark.range(0, 1000, 1, BATCHES).write.json("rows")
rows = spark.readStream.schema("id BIGINT").option("maxFilesPerTrigger", 1).json("rows")
query = (rows.groupBy((F.col("id") % 10).alias("k")).count().writeStream.queryName("counts").outputMode("complete")
         .format("memory").trigger(availableNow=True).start())
query.awaitTermination()
assert spark.table("counts").agg(F.sum("count")).first()[0] == 1000
assert len(query.recentProgress) >= BATCHES
spark.stop()
