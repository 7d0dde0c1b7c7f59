"""Work whose texts hold a secret: descriptions, SQL, options, an exception. Argument: the secret."""

import sys

from pyspark.sql import SparkSession

secret = sys.argv[1]
spark = SparkSession.builder.appName("secrets").getOrCreate()
context = spark.sparkContext
print("application", context.applicationId, flush=True)
context.setJobGroup("group", f"copies jdbc:postgresql://etl:{secret}@db/x, password={secret}")
context.setLocalProperty("spark.job.note", secret)
context.setLocalProperty("user.password", secret)
spark.conf.set("spark.sql.session.secret", secret)
spark.range(0, 20, 1, 4).selectExpr(f"concat(id, ' password={secret}') AS text").selectExpr("count(text)").collect()
try:
    spark.range(0, 4, 1, 4).selectExpr(
        f"if(id = 2, raise_error('cannot log in: password={secret}, jdbc:oracle:thin:etl/{secret}@db'), 'x')").collect()
except Exception:  # pylint: disable=broad-except  # as it must be
    print("result failed", flush=True)
spark.stop()
