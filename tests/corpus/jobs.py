"""The programs that are recorded: what is wrong with each is put in on purpose, or nothing is, though it looks so. App names and the
names of steps are neutral: a label cannot be guessed from them."""

import contextlib
import gzip
import json
import os
import random
import signal
import threading
import time

from registry import Inject, healthy, workload

NO_AQE = {"spark.sql.adaptive.enabled": "false"}
NO_BROADCAST = {**NO_AQE, "spark.sql.autoBroadcastJoinThreshold": "-1"}
SMALL_EXECUTORS = {"spark.executor.memory": "900m", "spark.executor.cores": "1"}
DELTA = {"spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
         "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog"}
DELTA_JARS = ("io.delta:delta-spark_2.12:3.3.2", "io.delta:delta-storage:3.3.2", "org.antlr:antlr4-runtime:4.9.3")
ICEBERG_JARS = ("org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.9.2",)
HEAVY = "sha2(sha2(sha2(concat({0}, id), 512), 512), 512)"


def rows(spark, count, parts):
    return spark.range(0, count, 1, parts)


# --- partitioning ---------------------------------------------------------------------------------------------------------------


def make_contacts(ctx, session):
    t = rows(session(), 250_000, 4).selectExpr("cast(id AS int) AS id", "sha2(string(id), 256) AS mail", "cast(id % 97 AS int) AS region")
    t.repartition(1).write.jdbc(f"jdbc:derby:{ctx.data}/db;create=true", "contacts",
                                properties={"driver": "org.apache.derby.jdbc.EmbeddedDriver", "createTableColumnTypes": "mail VARCHAR(64)"})


def contacts(spark, ctx, **how):
    return spark.read.jdbc(f"jdbc:derby:{ctx.data}/db", "contacts", properties={"driver": "org.apache.derby.jdbc.EmbeddedDriver"}, **how)


@workload("jdbc_one_partition", app="crm-contacts", spark="3.5.9", prepare=make_contacts, plan="JDBCRelation",
          injected=[Inject("low_parallelism", step="load", where="source", detail={"partitions": 1}, check={"tasks": (1, 1), "max_ms": 5000})],
          may_also=("too_few_partitions",))
def jdbc_one_partition(spark, ctx):
    with ctx.step(spark, "load"):
        t = contacts(spark, ctx).selectExpr("region", f"aggregate(sequence(1, 40), mail, (a, x) -> sha2(a, 512)) AS m")
        t.groupBy("region").agg({"m": "max"}).collect()


@workload("ok_jdbc_partitioned", app="crm-regions", spark="3.5.9", prepare=make_contacts, plan="JDBCRelation", injected=healthy())
def ok_jdbc_partitioned(spark, ctx):
    with ctx.step(spark, "load"):
        contacts(spark, ctx, column="id", lowerBound=0, upperBound=250_000, numPartitions=4).groupBy("region").agg({"mail": "max"}).collect()


@workload("coalesce_one", app="invoice-archive", spark="4.3.0", conf=NO_AQE,
          injected=[Inject("too_few_partitions", step="archive", where="longest", check={"tasks": (1, 1), "max_ms": 6000})])
def coalesce_one(spark, ctx):
    with ctx.step(spark, "archive"):
        rows(spark, 2_500_000, 8).selectExpr("id", HEAVY.format("'inv-'") + " AS seal").coalesce(1).write.mode("overwrite").parquet(ctx.out)


@workload("two_of_four", app="route-planning", spark="4.1.1", mode="local[4]",
          injected=[Inject("too_few_partitions", step="plan", where="longest", check={"tasks": (2, 2), "max_ms": 6000})])
def two_of_four(spark, ctx):
    with ctx.step(spark, "plan"):
        rows(spark, 3_000_000, 2).selectExpr("max(" + HEAVY.format("'way-'") + ")").collect()


def make_feeds(ctx, session):
    for part in range(2):
        r = random.Random(part)
        with gzip.open(f"{ctx.data}/feed-{part}.csv.gz", "wt", compresslevel=1) as f:
            for i in range(1_800_000):
                f.write(f"{i},{r.randrange(10**6)},{r.getrandbits(96):x}\n")


@workload("gz_two_files", app="feed-import", spark="3.5.9", mode="local[4]", prepare=make_feeds,
          conf={"spark.sql.files.maxPartitionBytes": "4m"},
          injected=[Inject("unsplittable_input", step="import", where="source", check={"tasks": (2, 2), "max_ms": 3000})],
          may_also=("too_few_partitions",))
def gz_two_files(spark, ctx):
    with ctx.step(spark, "import"):
        t = spark.read.csv(ctx.data, schema="id long, sku long, note string")
        t.groupBy("sku").agg({"note": "max", "id": "count"}).selectExpr("max(`max(note)`)", "sum(`count(id)`)").collect()


@workload("tiny_sql", app="basket-pairs", spark="4.3.0", conf={**NO_AQE, "spark.sql.shuffle.partitions": "1500"},
          injected=[Inject("too_many_tasks", step="pairs", where="shuffle_longest", check={"tasks": 1500, "median_ms": (0, 80)})])
def tiny_sql(spark, ctx):
    with ctx.step(spark, "pairs"):
        rows(spark, 400_000, 4).selectExpr("id % 9000 AS k", "id AS v").groupBy("k").max("v").write.format("noop").mode("overwrite").save()


@workload("tiny_source", app="sensor-buckets", spark="3.5.9",
          injected=[Inject("too_many_tasks", step="buckets", where="longest", check={"tasks": 2400, "median_ms": (0, 80)})])
def tiny_source(spark, ctx):
    with ctx.step(spark, "buckets"):
        rows(spark, 120_000, 2400).selectExpr("id % 7 AS bucket").write.format("noop").mode("overwrite").save()


@workload("ok_last_task", app="monthly-summary", spark="4.3.0", injected=healthy(),
          note="Looks like too little parallelism: every query ends in a stage of one task, each of them short.")
def ok_last_task(spark, ctx):
    for i in range(4):
        with ctx.step(spark, f"query-{i}"):
            rows(spark, 30_000_000, 8).selectExpr(f"xxhash64(id, {i}) % 10000 AS h").selectExpr("sum(h)", "count(DISTINCT h)").collect()


@workload("ok_one_small_file", app="kpi-export", spark="3.5.9", injected=healthy(),
          note="Looks like a missing partition: coalesce(1) of a small result, so that one file is written.")
def ok_one_small_file(spark, ctx):
    with ctx.step(spark, "export"):
        t = rows(spark, 60_000_000, 8).selectExpr("id % 500 AS k", "xxhash64(id) AS h").groupBy("k").agg({"h": "max"})
        t.coalesce(1).write.mode("overwrite").csv(ctx.out)


@workload("ok_many_partitions", app="clicks-hourly", spark="4.1.1", conf={"spark.sql.shuffle.partitions": "400"}, injected=healthy(),
          note="Looks like too many tasks: 400 shuffle partitions, which adaptive execution puts together.")
def ok_many_partitions(spark, ctx):
    with ctx.step(spark, "hours"):
        rows(spark, 40_000_000, 8).selectExpr("id % 20000 AS k", "hash(id) AS v").groupBy("k").agg({"v": "max"}).selectExpr("sum(k)").collect()


# --- small files, tables ---------------------------------------------------------------------------------------------------------


def make_readings(ctx, session):
    for i in range(2500):
        with open(f"{ctx.data}/{i:05d}.csv", "w", encoding="ascii") as f:
            f.writelines(f"{i},{j},{(i * 31 + j) % 977}\n" for j in range(20))


@workload("small_csv", app="meter-readings", spark="4.1.1", prepare=make_readings,
          injected=[Inject("io_small_files", step="read", where="source", detail={"files": 2500}, check={"wall_ms": 3000})],
          may_also=("too_many_tasks",))
def small_csv(spark, ctx):
    with ctx.step(spark, "read"):
        spark.read.csv(ctx.data, schema="meter int, hour int, kwh int").groupBy("hour").sum("kwh").collect()


def make_small_delta(ctx, session):
    rows(session(), 600_000, 1200).selectExpr("id", "id % 300 AS acct", "id % 977 AS cents").write.format("delta").save(f"{ctx.data}/t")


@workload("small_delta", app="ledger-balance", spark="3.5.9", prepare=make_small_delta, conf=DELTA, jars=DELTA_JARS,
          injected=[Inject("io_small_files", step="balance", where="source", detail={"files": 1200}, check={"wall_ms": 3000})],
          may_also=("too_many_tasks",))
def small_delta(spark, ctx):
    with ctx.step(spark, "balance"):
        spark.read.format("delta").load(f"{ctx.data}/t").groupBy("acct").sum("cents").collect()


def make_delta(ctx, session):
    rows(session(), 3_000_000, 4).selectExpr("id", "id % 300 AS acct", "id % 977 AS cents").write.format("delta").save(f"{ctx.data}/t")


@workload("ok_delta_update", app="ledger-correct", spark="3.5.9", prepare=make_delta, conf=DELTA, jars=DELTA_JARS, injected=healthy(),
          note="A table is read, written and read again; Delta runs jobs of its own over its log.")
def ok_delta_update(spark, ctx):
    with ctx.step(spark, "correct"):
        spark.read.format("delta").load(f"{ctx.data}/t").selectExpr("id", "acct", "cents + 1 AS cents").write.format("delta") \
            .mode("overwrite").save(ctx.out)
    with ctx.step(spark, "check"):
        spark.read.format("delta").load(ctx.out).groupBy("acct").sum("cents").collect()


@workload("ok_iceberg", app="parts-catalog", spark="3.5.9", jars=ICEBERG_JARS, injected=healthy(),
          conf={"spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.lake.type": "hadoop",
                "spark.sql.catalog.lake.warehouse": "build/corpus/out/ok_iceberg"})
def ok_iceberg(spark, ctx):
    with ctx.step(spark, "write"):
        rows(spark, 3_000_000, 4).selectExpr("id", "id % 700 AS part", "xxhash64(id) AS h").writeTo("lake.db.parts").create()
    with ctx.step(spark, "read"):
        spark.table("lake.db.parts").groupBy("part").agg({"h": "max"}).collect()


# --- joins ----------------------------------------------------------------------------------------------------------------------


@workload("merge_hint", app="sku-labels", spark="4.3.0", conf=NO_AQE, plan="SortMergeJoin",
          injected=[Inject("broadcastable_join", step="label", where="shuffle_longest", detail={"small_side_rows": 2000},
                           check={"shuffle_read_mb": 30})], may_also=("shuffle_overhead",))
def merge_hint(spark, ctx):
    sales = rows(spark, 6_000_000, 8).selectExpr("id", "pmod(xxhash64(id), 2000) AS sku", "sha1(string(id)) AS ref")
    labels = rows(spark, 2000, 2).selectExpr("id AS sku", "concat('label ', id) AS label")
    with ctx.step(spark, "label"):
        sales.join(labels.hint("merge"), "sku").groupBy("label").agg({"ref": "max"}).collect()


@workload("all_pairs", app="dedupe-names", spark="4.3.0", conf=NO_BROADCAST, plan="CartesianProduct",
          injected=[Inject("cartesian", step="pairs", where="slowest_task", detail={"rows": [20000, 16000]})], may_also=("too_many_tasks",))
def all_pairs(spark, ctx):
    a = rows(spark, 20_000, 4).selectExpr("id AS a", "hash(id) AS ha")
    b = rows(spark, 16_000, 3).selectExpr("id AS b", "hash(id, 1) AS hb")
    with ctx.step(spark, "pairs"):
        a.crossJoin(b).where("pmod(ha + cast(hb AS long), 997) < 2").selectExpr("count(*)", "max(a * b)").collect()


@workload("range_join", app="geo-fence", spark="4.1.1", conf=NO_AQE, plan="BroadcastNestedLoopJoin",
          injected=[Inject("nested_loop", step="fence", where="longest", detail={"rows": [400000, 1500]})])
def range_join(spark, ctx):
    points = rows(spark, 400_000, 8).selectExpr("id", "pmod(xxhash64(id), 1000000) AS at")
    fences = rows(spark, 1500, 1).selectExpr("id AS fence", "id * 600 AS low", "id * 600 + 900 AS high")
    with ctx.step(spark, "fence"):
        points.join(fences, (points.at >= fences.low) & (points.at < fences.high)).groupBy("fence").count().selectExpr("max(count)").collect()


@workload("key_too_coarse", app="session-pairs", spark="3.5.9", conf=NO_BROADCAST, plan="SortMergeJoin",
          injected=[Inject("exploding_join", step="pairs", where="shuffle_longest", detail={"rows_out": 3_000_000_000}, check={"max_ms": 2000})],
          may_also=("broadcastable_join",))
def key_too_coarse(spark, ctx):
    a = rows(spark, 1_500_000, 4).selectExpr("id % 500 AS k", "id AS a")
    b = rows(spark, 1_000_000, 4).selectExpr("id % 500 AS k", "hash(id) AS b")
    with ctx.step(spark, "pairs"):
        a.join(b, "k").selectExpr("max(a * b)", "sum(pmod(a + b, 7))").collect()


@workload("ok_small_loop", app="tariff-bands", spark="3.5.9", plan="BroadcastNestedLoopJoin", injected=healthy(),
          note="Looks like a costly join: a nested loop over five rows.")
def ok_small_loop(spark, ctx):
    calls = rows(spark, 8_000_000, 8).selectExpr("id", "pmod(xxhash64(id), 1000) AS minutes")
    bands = rows(spark, 5, 1).selectExpr("id AS band", "id * 200 AS low", "id * 200 + 200 AS high")
    with ctx.step(spark, "bands"):
        calls.join(bands, (calls.minutes >= bands.low) & (calls.minutes < bands.high)).groupBy("band").count().collect()


@workload("ok_two_large_sides", app="orders-payments", spark="4.3.0", conf=NO_BROADCAST, plan="SortMergeJoin", injected=healthy(),
          may_also=("shuffle_overhead",))
def ok_two_large_sides(spark, ctx):
    a = rows(spark, 3_000_000, 6).selectExpr("id AS k", "xxhash64(id) AS a")
    b = rows(spark, 3_000_000, 6).selectExpr("(id * 7) % 3000000 AS k", "hash(id) AS b")
    with ctx.step(spark, "match"):
        a.join(b, "k").selectExpr("sum(pmod(a + b, 9))", "count(*)").collect()


# --- the driver -----------------------------------------------------------------------------------------------------------------


@workload("collect_and_loop", app="price-model", spark="3.5.9", injected=[Inject("driver_bound", where="run")])
def collect_and_loop(spark, ctx):
    with ctx.step(spark, "load"):
        got = rows(spark, 200_000, 4).selectExpr("id", "pmod(hash(id), 1000) AS p").collect()
    until, fit = time.monotonic() + 25, 0.0
    while time.monotonic() < until:
        fit += sum(r.p * 0.5 for r in got[:5000])
    with ctx.step(spark, "store"):
        rows(spark, 1_000_000, 4).selectExpr(f"sum(hash(id) + {fit % 7})").collect()


@workload("many_small_questions", app="feature-scan", spark="4.3.0", injected=[Inject("driver_bound", where="run")])
def many_small_questions(spark, ctx):
    for i in range(30):
        with ctx.step(spark, f"feature-{i}"):
            rows(spark, 50_000, 2).selectExpr(f"sum(hash(id, {i}))").collect()
        time.sleep(0.8)


@workload("idle_cluster", app="night-wait", spark="4.3.0", mode="standalone", conf=SMALL_EXECUTORS,
          injected=[Inject("driver_bound", where="run")], may_also=("idle_executors",))
def idle_cluster(spark, ctx):
    with ctx.step(spark, "first"):
        rows(spark, 40_000_000, 4).selectExpr("bit_xor(xxhash64(id))").collect()
    time.sleep(30)
    with ctx.step(spark, "second"):
        rows(spark, 40_000_000, 4).selectExpr("bit_xor(xxhash64(id, 2))").collect()


@workload("ok_notebook", app="PySparkShell", spark="3.5.9", injected=healthy(),
          note="Looks like a driver that holds everything up: somebody thinks between two statements.")
def ok_notebook(spark, ctx):
    for i in range(3):
        with ctx.step(spark, f"cell-{i}"):
            rows(spark, 8_000_000, 4).selectExpr(f"bit_xor(xxhash64(id, {i}))").collect()
        time.sleep(9)


@workload("ok_many_jobs", app="report-tiles", spark="4.3.0", injected=healthy(),
          note="Looks like a loop of the driver: forty queries one after the other, each of which works.")
def ok_many_jobs(spark, ctx):
    for i in range(25):
        with ctx.step(spark, f"tile-{i}"):
            rows(spark, 12_000_000, 4).selectExpr(f"bit_xor(xxhash64(id, {i}))", f"max(hash(id, {i}))").collect()


# --- Python ---------------------------------------------------------------------------------------------------------------------


@workload("row_udf", app="text-normalise", spark="3.5.9", plan="BatchEvalPython",
          injected=[Inject("python_udf", where="run", detail={"rows": 1500000})])
def row_udf(spark, ctx):
    from pyspark.sql.functions import udf
    tidy = udf(lambda s: s.strip().lower().replace("-", " ")[:40], "string")
    with ctx.step(spark, "tidy"):
        rows(spark, 1_500_000, 6).selectExpr("concat(' Name-', id) AS name").select(tidy("name").alias("n")).selectExpr("max(n)").collect()


@workload("ok_pandas_udf", app="text-vectors", spark="4.1.1", plan="ArrowEvalPython", injected=healthy(), may_also=("python_udf",),
          note="Batches go to Python: dear, but the work itself is there.")
def ok_pandas_udf(spark, ctx):
    import numpy as np
    from pyspark.sql.functions import pandas_udf
    score = pandas_udf(lambda v: np.sqrt(v.abs() + 1).cumsum() % 11, "double")
    with ctx.step(spark, "score"):
        rows(spark, 6_000_000, 6).selectExpr("cast(id AS double) AS v").select(score("v").alias("s")).selectExpr("sum(s)").collect()


# --- streams --------------------------------------------------------------------------------------------------------------------


def stream(spark, ctx, name, per_second, trigger, work=None, batches=12, most_s=70):
    s = spark.readStream.format("rate").option("rowsPerSecond", per_second).option("numPartitions", 2).load()
    writer = s.writeStream.queryName(name).option("checkpointLocation", ctx.out)
    writer = writer.foreachBatch(work) if work else writer.format("noop")
    query = (writer.trigger(**trigger)).start()
    until = time.time() + most_s
    while time.time() < until and query.isActive and (query.lastProgress is None or query.lastProgress["batchId"] < batches):
        time.sleep(0.2)
    query.stop()


@workload("stream_behind", app="click-enrich", spark="4.3.0", conf={"spark.sql.shuffle.partitions": "2"},
          injected=[Inject("streaming_lag", where="run")], app_check=lambda a: a.batches >= 5)
def stream_behind(spark, ctx):
    def enrich(batch, number):
        batch.selectExpr("sum(aggregate(sequence(1, 4500), value, (a, x) -> pmod(a * 31 + x, 1000003)))").collect()
    stream(spark, ctx, "clicks", 20_000, {"processingTime": "1 second"}, enrich, 7, 90)


@workload("stream_growing", app="order-events", spark="3.5.9", conf={"spark.sql.shuffle.partitions": "2"},
          injected=[Inject("streaming_lag", where="run")], app_check=lambda a: a.batches >= 6)
def stream_growing(spark, ctx):
    def keep(batch, number):
        batch.selectExpr("max(value)").collect()
        time.sleep(1.5 + 0.6 * number)
    stream(spark, ctx, "orders", 500, {"processingTime": "1 second"}, keep, 9)


@workload("ok_stream_steady", app="door-sensors", spark="4.3.0", conf={"spark.sql.shuffle.partitions": "2"}, injected=healthy(),
          app_check=lambda a: a.batches >= 10)
def ok_stream_steady(spark, ctx):
    stream(spark, ctx, "doors", 2000, {"processingTime": "2 seconds"}, None, 14)


@workload("ok_stream_catching_up", app="till-rolls", spark="3.5.9", conf={"spark.sql.shuffle.partitions": "2"}, injected=healthy(),
          app_check=lambda a: a.batches >= 8,
          note="Looks like a stream that falls behind: its second batch takes five times its trigger, the others do not.")
def ok_stream_catching_up(spark, ctx):
    def keep(batch, number):
        batch.selectExpr("max(value)").collect()
        time.sleep(5 if number == 2 else 0.1)
    stream(spark, ctx, "tills", 500, {"processingTime": "1 second"}, keep, 16)


# --- speculation, hosts, skew ----------------------------------------------------------------------------------------------------

SPECULATION = {"spark.speculation": "true", "spark.speculation.interval": "200ms", "spark.speculation.multiplier": "1.5",
               "spark.speculation.quantile": "0.5", "spark.speculation.minTaskRuntime": "500ms"}


@workload("copies_for_nothing", app="risk-scores", spark="4.1.1", mode="standalone", conf={**SMALL_EXECUTORS, **SPECULATION},
          injected=[Inject("speculation_waste", step="score", where="longest")],
          may_also=("data_skew", "slow_host", "costly_records", "task_retries", "contention"),
          app_check=lambda a: any(t.reason == "TaskKilled" for s in a.ran() for t in s.tasks),
          note="The last task of a job has more work: its copy cannot be faster, and takes the slot that another job waits for.")
def copies_for_nothing(spark, ctx):
    def score(long, short):
        def work(i, part):
            until = time.monotonic() + (long if i == 7 else short)
            while time.monotonic() < until:
                sum(range(1000))
            yield sum(part)
        return work

    def other():
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", "totals")
        spark.sparkContext.parallelize(range(24_000), 24).mapPartitionsWithIndex(score(0.6, 0.6)).sum()
    worker = threading.Timer(2, other)
    worker.start()
    with ctx.step(spark, "score"):
        spark.sparkContext.parallelize(range(8_000), 8).mapPartitionsWithIndex(score(14.0, 0.8)).sum()
    worker.join()


@workload("ok_speculation_on", app="risk-totals", spark="4.1.1", mode="standalone",
          conf={**SMALL_EXECUTORS, "spark.speculation": "true"}, injected=healthy())
def ok_speculation_on(spark, ctx):
    with ctx.step(spark, "totals"):
        rows(spark, 120_000_000, 12).selectExpr("id % 100 AS k", "xxhash64(id) AS h").groupBy("k").agg({"h": "max"}).collect()


@workload("throttled_worker", app="match-scores", spark="4.3.0", mode="standalone", conf=SMALL_EXECUTORS, slow_host=0.4,
          injected=[Inject("slow_host", step="score", where="longest", detail={"host": "127.0.0.3"}, check={"host_ratio": 2})],
          may_also=("io_read_slow",))
def throttled_worker(spark, ctx):
    with ctx.step(spark, "score"):
        rows(spark, 75_000_000, 30).selectExpr("max(sha2(string(id), 256))").collect()


@workload("hot_key", app="carrier-events", spark="4.3.0", conf=NO_AQE,
          injected=[Inject("data_skew", step="events", where="shuffle_longest", detail={"hot_key_share": 0.6},
                           check={"max_over_avg": 3.2, "max_ms": 3000})], may_also=("gc_pressure", "memory_spill"))
def hot_key(spark, ctx):
    t = rows(spark, 3_000_000, 6).selectExpr("IF(id % 10 < 6, 0, id % 5000) AS k", "sha1(string(id)) AS ref")
    with ctx.step(spark, "events"):
        t.groupBy("k").agg({"ref": "collect_list"}).selectExpr("max(size(sort_array(`collect_list(ref)`)))").collect()


@workload("long_documents", app="clause-parse", spark="3.5.9",
          injected=[Inject("costly_records", step="parse", where="longest", check={"max_over_avg": 3.2, "max_ms": 3000})])
def long_documents(spark, ctx):
    def parse(i, part):
        cost = 140 if i == 7 else 1
        yield sum(sum(range(40 * cost)) + r for r in part)
    with ctx.step(spark, "parse"):
        spark.sparkContext.parallelize(range(400_000), 16).mapPartitionsWithIndex(parse).sum()


@workload("ok_uneven_moments", app="postcode-check", spark="4.3.0", injected=healthy(),
          note="Looks like skew: one task is five times the mean, of milliseconds.")
def ok_uneven_moments(spark, ctx):
    def check(i, part):
        time.sleep(0.3 if i == 5 else 0.02)
        yield sum(part)
    for n in range(4):
        with ctx.step(spark, f"check-{n}"):
            spark.sparkContext.parallelize(range(3200), 32).mapPartitionsWithIndex(check).sum()
        with ctx.step(spark, f"load-{n}"):
            rows(spark, 60_000_000, 8).selectExpr(f"bit_xor(xxhash64(id, {n}))").collect()


# --- memory ---------------------------------------------------------------------------------------------------------------------


@workload("sort_spills", app="claims-sort", spark="4.3.0",
          conf={**NO_AQE, "spark.driver.memory": "800m", "spark.memory.fraction": "0.25", "spark.sql.shuffle.partitions": "4"},
          injected=[Inject("memory_spill", step="sort", where="spilling", check={"spill_mem_mb": 200, "spill_disk_mb": 60})],
          may_also=("gc_pressure", "shuffle_overhead"))
def sort_spills(spark, ctx):
    with ctx.step(spark, "sort"):
        rows(spark, 5_000_000, 6).selectExpr("xxhash64(id) AS k", "sha2(string(id), 256) AS payload").orderBy("k") \
            .write.mode("overwrite").parquet(ctx.out)


@workload("python_memory", app="image-tiles", spark="3.5.9", mode="local[2,3]", fails=True,
          injected=[Inject("executor_oom", step="tiles", where="failed", check={"failed": 3}),
                    Inject("failed_stage", step="tiles", where="failed", check={"failed": 3})], may_also=("task_retries",))
def python_memory(spark, ctx):
    def tile(i, part):
        time.sleep(2)
        if i == 3:
            raise MemoryError("Unable to allocate 31.2 GiB for an array with shape (64720, 64720)")
        yield sum(part)
    with ctx.step(spark, "count"):
        rows(spark, 10_000_000, 4).selectExpr("sum(id)").collect()
    with ctx.step(spark, "tiles"):
        spark.sparkContext.parallelize(range(8000), 8).mapPartitionsWithIndex(tile).sum()


@workload("ok_cache_to_disk", app="catalog-views", spark="3.5.9", conf={"spark.driver.memory": "1g"}, injected=healthy(),
          note="Looks like memory pressure: what is cached does not fit and part of it goes to disk; it costs little.")
def ok_cache_to_disk(spark, ctx):
    from pyspark import StorageLevel
    t = rows(spark, 6_000_000, 12).selectExpr("id % 1000 AS k", "sha2(string(id), 256) AS doc").persist(StorageLevel.DISK_ONLY)
    for i in range(3):
        with ctx.step(spark, f"view-{i}"):
            t.groupBy("k").agg({"doc": "max"}).selectExpr("count(*)").collect()


# --- failures and ends ----------------------------------------------------------------------------------------------------------


@workload("barrier_again", app="train-rounds", spark="3.5.9", mode="local[2]",
          injected=[Inject("task_retries", step="train", where="failing", check={"failed": 1})], may_also=("failed_stage",))
def barrier_again(spark, ctx):
    from pyspark import BarrierTaskContext
    left = f"{ctx.out}.left"
    with contextlib.suppress(FileNotFoundError):
        os.remove(left)

    def work(part):
        context = BarrierTaskContext.get()
        until = time.monotonic() + 8
        while time.monotonic() < until:
            sum(range(1000))
        if context.partitionId() == 1 and not os.path.exists(left):
            open(left, "wb").close()
            raise RuntimeError("peer left the round")
        yield sum(part)
    with ctx.step(spark, "train"):
        spark.sparkContext.parallelize(range(1000), 2).map(lambda i: (i % 2, i)).partitionBy(2).values().barrier() \
            .mapPartitions(work).map(lambda v: (0, v)).reduceByKey(lambda a, b: a + b).collect()


@workload("executor_gone", app="stock-levels", spark="4.3.0", mode="standalone", conf=SMALL_EXECUTORS,
          injected=[Inject("executor_lost", step="levels", where="failing", check={"failed": 1})], may_also=("task_retries",),
          app_check=lambda a: len(a.lost) >= 1)
def executor_gone(spark, ctx):
    from cluster import kill_executor_when
    df = rows(spark, 300_000_000, 20).selectExpr("id % 1000 AS k", "xxhash64(id, id + 1, id + 2) AS h")
    kill_executor_when(spark, ctx.workers[0], tasks=20, done=6)
    with ctx.step(spark, "levels"):
        df.groupBy("k").agg({"h": "max"}).selectExpr("sum(k)").collect()


@workload("flaky_source", app="rates-import", spark="4.3.0", mode="local[2,4]",
          injected=[Inject("task_retries", step="import", where="failing", check={"failed": 5})])
def flaky_source(spark, ctx):
    def load(i, part):
        from pyspark import TaskContext
        time.sleep(1.2)
        if i % 3 == 0 and TaskContext.get().attemptNumber() < 1:
            raise OSError("upstream answered 429")
        yield sum(part)
    with ctx.step(spark, "import"):
        spark.sparkContext.parallelize(range(15_000), 15).mapPartitionsWithIndex(load).sum()


@workload("bad_column", app="returns-parse", spark="4.3.0", mode="local[2,3]", fails=True,
          injected=[Inject("failed_stage", step="parse", where="failed", check={"failed": 3})], may_also=("task_retries",))
def bad_column(spark, ctx):
    with ctx.step(spark, "count"):
        rows(spark, 30_000_000, 4).selectExpr("bit_xor(xxhash64(id))").collect()
    with ctx.step(spark, "parse"):
        rows(spark, 400_000, 8).selectExpr("IF(id = 333333, raise_error('not a number: n/a'), id) AS v").selectExpr("sum(v)").collect()


def end_driver(spark, how, after_s):
    """Signals the driver's JVM while it works."""
    pid = spark.sparkContext._gateway.proc.pid
    threading.Timer(after_s, lambda: os.kill(pid, how)).start()


@workload("stopped_midway", app="catalog-export", spark="3.5.9", fails=True, outcome="killed", injected=[Inject("pipeline_failure", where="run")],
          may_also=("task_retries", "failed_stage", "too_few_partitions"))
def stopped_midway(spark, ctx):
    with ctx.step(spark, "count"):
        rows(spark, 30_000_000, 4).selectExpr("bit_xor(xxhash64(id))").collect()
    end_driver(spark, signal.SIGTERM, 6)
    with ctx.step(spark, "export"):
        rows(spark, 900_000_000, 60).selectExpr("max(sha2(string(id), 256))").collect()


@workload("gone_midway", app="catalog-mirror", spark="4.3.0", fails=True, outcome="lost", injected=healthy(),
          note="The driver was killed: its log ends in the middle of a job, with nothing wrong until then.")
def gone_midway(spark, ctx):
    with ctx.step(spark, "count"):
        rows(spark, 30_000_000, 4).selectExpr("bit_xor(xxhash64(id))").collect()
    end_driver(spark, signal.SIGKILL, 6)
    with ctx.step(spark, "mirror"):
        rows(spark, 900_000_000, 60).selectExpr("max(sha2(string(id), 256))").collect()


@workload("ok_one_retry", app="mail-digest", spark="3.5.9", mode="local[2,4]", injected=healthy(), may_also=("task_retries",),
          note="Looks like failures: one task fails at once and succeeds when it is tried again.")
def ok_one_retry(spark, ctx):
    def digest(i, part):
        from pyspark import TaskContext
        if i == 4 and TaskContext.get().attemptNumber() == 0:
            raise OSError("connection reset")
        yield sum(part)
    with ctx.step(spark, "digest"):
        spark.sparkContext.parallelize(range(8000), 8).mapPartitionsWithIndex(digest).sum()
    with ctx.step(spark, "totals"):
        rows(spark, 150_000_000, 8).selectExpr("bit_xor(xxhash64(id))").collect()


# --- slots ----------------------------------------------------------------------------------------------------------------------


@workload("behind_its_own", app="batch-report", spark="3.5.9",
          injected=[Inject("contention", where="run", detail={"how": "short jobs behind a long one in one pool, first in first out"})],
          may_also=("driver_bound",))
def behind_its_own(spark, ctx):
    def long():
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", "model")
        rows(spark, 1_500_000_000, 60).selectExpr("max(xxhash64(id, id + 1, id + 2, id + 3))").collect()
    worker = threading.Thread(target=long)
    worker.start()
    time.sleep(1)
    for i in range(3):
        with ctx.step(spark, f"tile-{i}"):
            rows(spark, 100_000, 2).selectExpr(f"sum(hash(id, {i}))").collect()
    worker.join()


@workload("sixteen_on_two", app="embed-batches", spark="4.1.1", mode="local[16]",
          injected=[Inject("contention", step="embed", where="longest", detail={"slots": 16, "cores": 2}, check={"cpu_pct": (0, 45)})])
def sixteen_on_two(spark, ctx):
    with ctx.step(spark, "embed"):
        rows(spark, 20_000_000, 64).selectExpr("max(sha2(sha2(string(id), 512), 512))").collect()


def make_notes(ctx, session):
    with contextlib.suppress(FileExistsError):
        os.makedirs(ctx.data)
    for part in range(8):
        r = random.Random(part)
        with open(f"{ctx.data}/notes-{part}.json", "w", encoding="ascii") as f:
            for i in range(60_000):
                f.write(json.dumps({"id": i, "shop": r.randrange(40), "note": f"{r.getrandbits(200):x}"}) + "\n")


@workload("ok_json_read_twice", app="shop-notes", spark="4.3.0", prepare=make_notes, injected=healthy())
def ok_json_read_twice(spark, ctx):
    t = spark.read.schema("id long, shop int, note string").json(ctx.data)
    with ctx.step(spark, "shops"):
        t.groupBy("shop").agg({"note": "max"}).collect()
    with ctx.step(spark, "ids"):
        t.groupBy("id").count().selectExpr("max(count)").collect()
