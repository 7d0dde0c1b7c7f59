"""The bad jobs: real programs, each badly tuned in one way that people do it in. Where a line that Stoker prints would go, the program asks
whether it was printed (ctx.told) and follows it to the letter. What a program returns does not depend on the order of rows."""

import gzip
import os
import random

from registry import NO_AQE, NO_BROADCAST, job

SEAL = "sha2(sha2(sha2(concat({0}, {1}), 512), 512), 512)"
TWO_EXECUTORS = "local-cluster[2,1,8192]"  # a core each, with room for larger heaps
DERBY = {"driver": "org.apache.derby.jdbc.EmbeddedDriver"}


def rows(spark, count, parts):
    """Numbers from 0 on."""
    return spark.range(0, count, 1, parts)


def digest(df, *columns):
    """Count and checksum of rows, in whatever order."""
    return [int(v) for v in df.selectExpr("count(*)", f"bit_xor(xxhash64({', '.join(columns)}))").collect()[0]]


# --- joins ----------------------------------------------------------------------------------------------------------------------


@job(3_000_000, "19 of 20 rows have one key, adaptive execution is off", conf={**NO_BROADCAST, "spark.sql.shuffle.partitions": "8"},
     answers=("salt_join",))
def skewed_join(spark, ctx):
    big = rows(spark, 3_000_000, 8).selectExpr("id", "IF(id % 20 < 19, 0, id % 200000) AS key", "sha1(string(id)) AS parcel")
    other = rows(spark, 300_000, 4).selectExpr("id AS key", "sha1(string(id * 7)) AS depot")
    if ctx.told("salt_join"):
        salts = spark.range(ctx.told("salt_join")).withColumnRenamed("id", "salt")
        big = big.withColumn("salt", ctx.F.expr(f"pmod(xxhash64(id), {ctx.told('salt_join')})"))
        out = big.join(other.crossJoin(salts), ["key", "salt"]).drop("salt")
    else:
        out = big.join(other, "key")
    return digest(out.selectExpr("id", SEAL.format("parcel", SEAL.format("depot", "id")) + " AS seal"), "id", "seal")


@job(14_000_000, "a table of 2,000 rows is joined by sorting both sides, broadcasts are off",
     conf={**NO_BROADCAST, "spark.sql.shuffle.partitions": "8"}, answers=("broadcast",), short=True)
def tiny_table(spark, ctx):
    big = rows(spark, 14_000_000, 8).selectExpr("id", "pmod(xxhash64(id), 2000) AS key", "sha1(string(id)) AS ref")
    small = rows(spark, 2000, 2).selectExpr("id AS key", "concat('label ', id) AS label")
    out = big.join(ctx.F.broadcast(small), "key") if ctx.told("broadcast") else big.join(small, "key")
    return digest(out, "id", "ref", "label")


@job(3_600_000, "a join by a range alone: every row is compared with every other", answers=("bucket_join",), short=True)
def range_join(spark, ctx):
    a = rows(spark, 3_600_000, 8).selectExpr("id", "pmod(xxhash64(id), 2592000) AS t")
    r = rows(spark, 3000, 1).selectExpr("id AS fence", "id * 860 AS lo", "id * 860 + 900 AS hi")
    width = ctx.told("bucket_join")
    if width:
        a = a.withColumn("b", ctx.F.expr(f"floor(t / {width})"))
        r = r.withColumn("b", ctx.F.explode(ctx.F.expr(f"sequence(floor(lo / {width}), floor(hi / {width}))")))
        out = a.join(r, "b").where("t BETWEEN lo AND hi")
    else:
        out = a.join(r, ctx.F.expr("t BETWEEN lo AND hi"))
    return digest(out, "id", "fence")


def make_visits(spark, folder):
    rows(spark, 3_200_000, 6).selectExpr("id", "id % 40000 AS key", "xxhash64(id) AS x", "sha1(string(id)) AS note").write.parquet(
        f"{folder}/b")
    rows(spark, 40_000, 2).selectExpr("id AS key", "sha1(string(id)) AS name").write.parquet(f"{folder}/a")


@job(3_200_000, "rows are moved and sorted three times before they are joined and added up", prepare=make_visits,
     conf={**NO_BROADCAST, "spark.sql.shuffle.partitions": "8"}, master=TWO_EXECUTORS, answers=("lean_shuffle", "broadcast"))
def needless_shuffles(spark, ctx):
    F = ctx.F
    a, b = spark.read.parquet(f"{ctx.data}/a"), spark.read.parquet(f"{ctx.data}/b")
    if ctx.told("broadcast"):
        a = F.broadcast(a)
    if ctx.told("lean_shuffle"):
        few = b.groupBy("key").agg(F.sum(F.expr("x % 1000")).alias("x"), F.max("note").alias("note"))
        out = a.join(few, "key")
    else:
        b = b.repartition(9, "id").repartition(11, "x").orderBy("note").repartition(7, "note")
        out = b.join(a, "key").groupBy("key", "name").agg(F.sum(F.expr("x % 1000")).alias("x"), F.max("note").alias("note"))
    return digest(out, "key", "name", "x", "note")


# --- partitions -----------------------------------------------------------------------------------------------------------------


@job(400_000, "2,000 partitions of next to nothing", conf={**NO_AQE, "spark.sql.shuffle.partitions": "2000"}, short=True)
def two_thousand_partitions(spark, ctx):
    t = rows(spark, 400_000, 4).selectExpr("id % 9000 AS k", "id AS v").groupBy("k").agg(ctx.F.max("v").alias("v"))
    return digest(t, "k", "v")


@job(10_000_000, "one partition of all: coalesce(1) in front of the work", answers=("no_coalesce", "repartition"))
def one_partition(spark, ctx):
    df = rows(spark, 10_000_000, 8)
    if not ctx.told("no_coalesce"):
        df = df.coalesce(1)
    if ctx.told("repartition"):
        df = df.repartition(ctx.told("repartition"))
    return digest(df.selectExpr("id", SEAL.format("'inv-'", "id") + " AS seal"), "id", "seal")


@job(4_000_000, "two partitions of much, in heaps that are too small for them", master=TWO_EXECUTORS, answers=("repartition",),
     conf={**NO_AQE, "spark.sql.shuffle.partitions": "2", "spark.executor.memory": "500m"})
def two_partitions(spark, ctx):
    df = rows(spark, 4_000_000, 8).selectExpr("xxhash64(id) AS k", "sha2(string(id), 256) AS payload")
    if ctx.told("repartition"):
        df = df.repartition(ctx.told("repartition"))
    ranked = df.selectExpr("k", "payload", "row_number() OVER (PARTITION BY pmod(k, 1000) ORDER BY payload) AS rank")
    return digest(ranked, "k", "payload", "rank")


# --- input ----------------------------------------------------------------------------------------------------------------------


def make_readings(_, folder):
    os.makedirs(f"{folder}/small")
    for i in range(3000):
        with open(f"{folder}/small/{i:05d}.csv", "w", encoding="ascii") as f:
            f.writelines(f"{i},{j},{(i * 31 + j) % 977}\n" for j in range(20))


def compact_readings(spark, folder, files):
    spark.read.format("csv").load(f"{folder}/small").repartition(files).write.format("csv").save(f"{folder}/large")


@job(180_000, "3,000 files of 200 bytes, read three times", prepare=make_readings, compact=compact_readings, answers=("compact",))
def small_files(spark, ctx):
    found = []
    for by in ("hour", "meter", "kwh"):
        t = spark.read.csv(f"{ctx.data}/{'large' if ctx.told('compact') else 'small'}", schema="meter int, hour int, kwh int")
        found += digest(t.groupBy(by).agg(ctx.F.sum("kwh").alias("s")), by, "s")
    return found


@job(600_000, "60 files are written into each of 40 folders, and read again", answers=("write_by_folder",))
def written_small(spark, ctx):
    df = rows(spark, 600_000, 60).selectExpr("id", "pmod(xxhash64(id), 40) AS day", "sha1(string(id)) AS note")
    if ctx.told("write_by_folder"):
        df = df.repartition("day")
    df.write.partitionBy("day").parquet(ctx.out)
    return digest(spark.read.parquet(ctx.out), "id", "day", "note")


def make_feed(_, folder):
    r = random.Random(1)
    with gzip.open(f"{folder}/feed.csv.gz", "wt", compresslevel=1) as f:
        for i in range(1_500_000):
            f.write(f"{i},{r.randrange(10**6)},{r.getrandbits(96):x}\n")


@job(1_500_000, "one packed file, which one task must read, and works on its rows", prepare=make_feed, answers=("repartition",))
def one_gzip(spark, ctx):
    df = spark.read.csv(ctx.data, schema="id long, sku long, note string")
    if ctx.told("repartition"):
        df = df.repartition(ctx.told("repartition"))
    return digest(df.selectExpr("id", "aggregate(sequence(1, 15), note, (a, x) -> sha2(concat(a, sku), 512)) AS seal"), "id", "seal")


def make_contacts(spark, folder):
    t = rows(spark, 600_000, 4).selectExpr("cast(id AS int) AS id", "sha2(string(id), 256) AS mail", "cast(id % 97 AS int) AS region")
    t.repartition(1).write.jdbc(f"jdbc:derby:{folder}/db;create=true", "contacts",
                                properties={**DERBY, "createTableColumnTypes": "mail VARCHAR(64)"})


@job(600_000, "a database read through one connection", prepare=make_contacts, answers=("connections", "repartition"))
def one_connection(spark, ctx):
    how = {}
    if ctx.told("connections"):
        how = {"column": "id", "lowerBound": 0, "upperBound": 599_999, "numPartitions": ctx.told("connections")}
    df = spark.read.jdbc(f"jdbc:derby:{ctx.data}/db", "contacts", properties=DERBY, **how)
    if ctx.told("repartition"):
        df = df.repartition(ctx.told("repartition"))
    return digest(df.selectExpr("id", "aggregate(sequence(1, 25), mail, (a, x) -> sha2(a, 512)) AS seal"), "id", "seal")


def make_notes(spark, folder):
    rows(spark, 1_500_000, 8).selectExpr("id", "pmod(xxhash64(id), 400) AS shop", "sha2(string(id), 256) AS note", "hash(id) AS cents") \
        .write.json(f"{folder}/notes")


@job(15_000_000, "the same JSON is read and parsed for each of ten questions", prepare=make_notes, answers=("persist",))
def missing_cache(spark, ctx):
    t = spark.read.schema("id long, shop int, note string, cents int").json(f"{ctx.data}/notes")
    t = t.selectExpr("id", "shop", "cents", SEAL.format("note", "id") + " AS seal").where("cents % 3 = 0")
    if ctx.told("persist"):
        t = t.persist()
    found = []
    for n in range(10):
        found += digest(t.where(f"shop % 10 = {n} OR cents > 0"), "id", "seal")
    return found


# --- memory ---------------------------------------------------------------------------------------------------------------------


@job(11_000_000, "a heap of 570 MiB that garbage fills", answers=("repartition",),
     conf={**NO_AQE, "spark.driver.memory": "570m", "spark.memory.fraction": "0.75", "spark.sql.shuffle.partitions": "8",
           "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "100000000"})
def small_heap(spark, ctx):
    kept = rows(spark, 8_000_000, 4).selectExpr("xxhash64(id, 7) AS a", "xxhash64(id, 9) AS b").cache()
    found = digest(kept, "a", "b")
    df = rows(spark, 3_000_000, 8).selectExpr("id % 140000 AS basket", "struct(hash(id) AS item, string(id * 3) AS note) AS line")
    if ctx.told("repartition"):
        df = df.repartition(ctx.told("repartition"))
    lists = df.groupBy("basket").agg(ctx.F.collect_list("line").alias("lines"))
    return found + digest(lists.selectExpr("basket", "size(lines) AS many"), "basket", "many")


@job(10_000_000, "what is cached has no room: it is worked out again for each of four questions", master=TWO_EXECUTORS,
     conf={"spark.executor.memory": "500m"}, answers=("persist",))
def cache_too_large(spark, ctx):
    from pyspark import StorageLevel
    t = rows(spark, 2_500_000, 16).selectExpr("id", SEAL.format("'doc-'", "id") + " AS seal")
    t = t.persist() if ctx.told("persist") else t.persist(StorageLevel.MEMORY_ONLY)
    found = []
    for n in range(4):
        found += digest(t.where(f"pmod(xxhash64(id), 4) = {n}"), "id", "seal")
    return found


def make_parcels(spark, folder):
    rows(spark, 500_000, 6).selectExpr("id AS _1", "named_struct('_1', sha1(string(id)), '_2', concat('depot ', id % 977), '_3', id * 3) AS _2") \
        .write.parquet(f"{folder}/t")


@job(500_000, "objects of the JVM are shuffled three times by Java's own serialisation", prepare=make_parcels, master=TWO_EXECUTORS)
def java_serialised(spark, ctx):
    encoders = spark.sparkContext._jvm.org.apache.spark.sql.Encoders  # pylint: disable=protected-access
    parcel = encoders.tuple(encoders.LONG(), encoders.tuple(encoders.STRING(), encoders.STRING(), encoders.LONG()))
    rdd = getattr(spark.read.parquet(f"{ctx.data}/t")._jdf, "as")(parcel).toJavaRDD()  # pylint: disable=protected-access
    for parts in (8, 6, 8):
        rdd = rdd.repartition(parts)
    return [rdd.count(), rdd.distinct().count()]


# --- Python ---------------------------------------------------------------------------------------------------------------------


@job(12_000_000, "a function in Python that is handed single rows", answers=("batches",), short=True)
def row_udf(spark, ctx):
    def tidy(s):
        return s.strip().lower().replace("-", " ")[:40]
    f = ctx.F.udf(tidy, "string", useArrow=True) if ctx.told("batches") else ctx.F.udf(tidy, "string")
    return digest(rows(spark, 12_000_000, 6).selectExpr("id", "concat(' Name-', id) AS name").select("id", f("name").alias("n")), "id", "n")


@job(16_000_000, "groupByKey where sums are wanted", answers=("combine",))
def group_by_key(spark, ctx):
    from operator import add
    rdd = spark.sparkContext.parallelize(range(16_000_000), 8).map(lambda i: (i * 7919 % 1000, i))
    sums = rdd.reduceByKey(add) if ctx.told("combine") else rdd.groupByKey().mapValues(sum)
    return [sums.count(), sums.map(lambda kv: kv[0] * kv[1] % 1_000_003).sum()]
