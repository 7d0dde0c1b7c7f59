"""A job whose events are large or hold something large, and a stage that has to be judged all the same.

Arguments: what is large, and how many of it: `literal` (characters of a SQL text), `nodes` (of a plan), `range` (elements that are
distributed), `collected` (strings that tasks collect in an accumulator with a name; needs Collecting.java on the class path)."""

import sys

from pyspark.sql import SparkSession

what, count = sys.argv[1], int(sys.argv[2])
spark = (SparkSession.builder.appName("large").config("spark.sql.adaptive.enabled", "false")
         .config("spark.sql.codegen.wholeStage", "false").getOrCreate())
print("application", spark.sparkContext.applicationId, flush=True)
if what == "literal":
    rows = spark.range(0, 10, 1, 4).selectExpr(f"concat(id, '{'x' * count}') AS text")
    result = rows.selectExpr("sum(length(text))").collect()[0][0]
elif what == "range":
    companion = spark._jvm.java.lang.Class.forName  # of a Scala class, whose methods have no static twin
    numbers = companion("scala.collection.immutable.Range$").getField("MODULE$").get(None).inclusive(0, count - 1)
    tag = companion("scala.reflect.ClassTag$").getField("MODULE$").get(None).Int()
    result = spark.sparkContext._jsc.sc().parallelize(numbers, 4, tag).count()
elif what == "collected":
    result = spark._jvm.Collecting.run(spark.sparkContext._jsc, count)
else:
    result, rows = count, spark.range(0, 1, 1, 1)
    while count > 1:
        rows, count = rows.union(rows), count // 2
    assert len(rows.limit(1).collect()) == 1
# Task 3 takes most of its time.
spark.range(0, 40, 1, 40).selectExpr("java_method('java.lang.Thread', 'sleep', if(id = 3, 6000L, 50L))").collect()
pools = spark._jvm.java.lang.management.ManagementFactory.getMemoryPoolMXBeans()
print("heap", sum(pool.getPeakUsage().getUsed() for pool in pools if str(pool.getType()) == "Heap memory") >> 20, flush=True)
print("result", result, flush=True)
spark.stop()
