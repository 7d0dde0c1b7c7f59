"""The controls: programs with nothing wrong, some of which look as if there were. Whatever is advised of them must not make them
slower. They ask for no line that Stoker prints: settings are all that can be applied."""

import json
import os
import random

from jobs import DERBY, NO_BROADCAST, digest, make_contacts, rows
from registry import job


@job(40_000_000, conf={"spark.sql.shuffle.partitions": "400"}, short=True)
def ok_coalesced(spark, ctx):
    """400 partitions, which adaptive execution puts together."""
    return digest(rows(spark, 40_000_000, 8).selectExpr("id % 20000 AS k", "hash(id) AS v").groupBy("k").agg(
        ctx.F.max("v").alias("v")), "k", "v")


@job(120_000_000)
def ok_last_task(spark, ctx):
    """Each query ends in a stage of one short task."""
    found = []
    for i in range(4):
        t = rows(spark, 30_000_000, 8).selectExpr(f"xxhash64(id, {i}) % 10000 AS h")
        found += digest(t.distinct(), "h")
    return found


@job(60_000_000)
def ok_one_small_file(spark, ctx):
    """coalesce(1) of a small result, so that one file is written."""
    t = rows(spark, 60_000_000, 8).selectExpr("id % 500 AS k", "xxhash64(id) AS h").groupBy("k").agg(ctx.F.max("h").alias("h"))
    t.coalesce(1).write.mode("overwrite").csv(ctx.out)
    return digest(spark.read.csv(ctx.out), "_c0", "_c1")


@job(8_000_000)
def ok_small_loop(spark, ctx):
    """A nested loop over five rows."""
    calls = rows(spark, 8_000_000, 8).selectExpr("id", "pmod(xxhash64(id), 1000) AS minutes")
    bands = rows(spark, 5, 1).selectExpr("id AS band", "id * 200 AS low", "id * 200 + 200 AS high")
    return digest(calls.join(bands, (calls.minutes >= bands.low) & (calls.minutes < bands.high)), "id", "band")


@job(6_000_000, conf={**NO_BROADCAST, "spark.sql.shuffle.partitions": "8"}, short=True)
def ok_two_large_sides(spark, ctx):
    """Both sides of a join are large and must be sorted."""
    a = rows(spark, 3_000_000, 6).selectExpr("id AS k", "xxhash64(id) AS a")
    b = rows(spark, 3_000_000, 6).selectExpr("(id * 7) % 3000000 AS k", "hash(id) AS b")
    return digest(a.join(b, "k"), "k", "a", "b")


@job(6_000_000)
def ok_pandas_udf(spark, ctx):
    """Batches go to Python, where the work is."""
    import numpy as np
    score = ctx.F.pandas_udf(lambda v: np.sqrt(v.abs() + 1).cumsum() % 11, "double")
    return digest(rows(spark, 6_000_000, 6).selectExpr("id", "cast(id AS double) AS v").select("id", score("v").alias("s")), "id",
                  "isnan(s)")


@job(600_000, prepare=make_contacts)
def ok_connections(spark, ctx):
    """A database read through two connections."""
    t = spark.read.jdbc(f"jdbc:derby:{ctx.data}/db", "contacts", column="id", lowerBound=0, upperBound=600_000, numPartitions=2,
                        properties=DERBY)
    return digest(t.selectExpr("id", "aggregate(sequence(1, 20), mail, (a, x) -> sha2(a, 512)) AS seal"), "id", "seal")


def make_shops(_, folder):
    for part in range(8):
        r = random.Random(part)
        with open(os.path.join(folder, f"notes-{part}.json"), "w", encoding="ascii") as f:
            for i in range(60_000):
                f.write(json.dumps({"id": i, "shop": r.randrange(40), "note": f"{r.getrandbits(200):x}"}) + "\n")


@job(960_000, prepare=make_shops)
def ok_read_twice(spark, ctx):
    """A small folder is read twice, of even files."""
    t = spark.read.schema("id long, shop int, note string").json(ctx.data)
    return digest(t.groupBy("shop").agg(ctx.F.max("note").alias("n")), "shop", "n") + digest(t.groupBy("id").count(), "id", "count")


@job(24_000_000)
def ok_cached(spark, ctx):
    """What three questions need is cached and fits."""
    t = rows(spark, 8_000_000, 8).selectExpr("id % 1000 AS k", "sha1(string(id)) AS doc").cache()
    found = []
    for n in range(3):
        found += digest(t.where(f"k % 3 = {n}"), "k", "doc")
    return found


@job(300_000_000)
def ok_many_queries(spark, ctx):
    """A loop of the driver, each query of which works."""
    found = []
    for i in range(25):
        found += digest(rows(spark, 12_000_000, 4).selectExpr(f"hash(id, {i}) AS h"), "h")
    return found
