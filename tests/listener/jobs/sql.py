"""SQL with adaptive plans: a join that turns into a broadcast, one with a key that has most of the rows, a sort, a cached table."""

from pyspark.sql import SparkSession, functions as F

spark = (SparkSession.builder.appName("sql").config("spark.sql.adaptive.enabled", "true")
         .config("spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes", "64k")
         .config("spark.sql.adaptive.advisoryPartitionSizeInBytes", "64k")
         .config("spark.sql.autoBroadcastJoinThreshold", "100k").getOrCreate())
facts = spark.range(0, 300000, 1, 6).selectExpr("if(id % 10 < 8, 0, id % 1000) AS k", "id", "repeat('x', 20) AS pad")
small = spark.range(0, 1000, 1, 2).selectExpr("id AS k", "id * 2 AS v")
facts.join(small.filter("v < 900"), "k").groupBy("v").agg(F.count("*").alias("n")).orderBy(F.desc("n")).collect()
wide = spark.range(0, 60000, 1, 4).selectExpr("if(id % 3 = 0, 0, id % 500) AS k", "repeat('y', 30) AS other")
spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
small.cache().count()
facts.filter("id < 2000").join(wide, "k").agg(F.count("*"), F.max("other"), F.sum("id")).collect()
spark.stop()
