"""More programs that are recorded: what they do to memory, the network, stores and executors. As in jobs.py, names say nothing."""

import random

import store
from jobs import NO_AQE, NO_BROADCAST, SMALL_EXECUTORS, rows
from registry import Inject, healthy, workload


@workload("boxed_objects", app="basket-history", spark="4.3.0",
          conf={**NO_AQE, "spark.driver.memory": "570m", "spark.memory.fraction": "0.75",
                "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "100000000"},
          injected=[Inject("gc_pressure", step="history", where="all", check={"gc_pct": 20})], may_also=("memory_spill",))
def boxed_objects(spark, ctx):
    kept = rows(spark, 9_500_000, 4).selectExpr("xxhash64(id, 7) AS a", "xxhash64(id, 9) AS b").cache()
    with ctx.step(spark, "warm"):
        kept.count()
    t = rows(spark, 4_500_000, 8).selectExpr("id % 140000 AS basket", "struct(hash(id) AS item, string(id * 3) AS note) AS line")
    with ctx.step(spark, "history"):
        t.groupBy("basket").agg({"line": "collect_list"}).selectExpr("sum(size(`collect_list(line)`))").collect()


def make_streets(ctx, session):
    rows(session(), 2_500_000, 6).selectExpr("id", "id % 4000 AS street", "sha2(string(id), 256) AS text").write.parquet(f"{ctx.data}/t")


@workload("wide_dedupe", app="address-clean", spark="4.1.1", mode="standalone", prepare=make_streets, conf={**NO_AQE, **SMALL_EXECUTORS},
          injected=[Inject("shuffle_overhead", step="clean", where="shuffle", detail={"needless_wide_operations": 6},
                           check={"shuffle_read_mb": 40})],
          may_also=("memory_spill",))
def wide_dedupe(spark, ctx):
    t = spark.read.parquet(f"{ctx.data}/t")
    with ctx.step(spark, "clean"):
        for n, by, keys in ((9, "street", ["text"]), (11, "id", ["street", "id"]), (7, "text", ["id", "text"])):
            t = t.repartition(n, by).dropDuplicates(keys)
        t.groupBy("street").agg({"text": "max"}).selectExpr("count(*)").collect()


@workload("heap_out", app="catalog-expand", spark="3.5.9", mode="standalone", fails=True,
          conf={**NO_AQE, "spark.executor.memory": "512m", "spark.executor.cores": "1", "spark.sql.shuffle.partitions": "3",
                "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "100000000"},
          injected=[Inject("executor_oom", step="expand", where="failing", check={"failed": 1}),
                    Inject("failed_stage", step="expand", where="failed", check={"failed": 1})],
          may_also=("gc_pressure", "executor_lost", "data_skew", "task_retries", "memory_spill"))
def heap_out(spark, ctx):
    t = rows(spark, 7_000_000, 4).selectExpr("IF(id % 10 < 8, 1, id % 900) AS family", "sha2(string(id), 512) AS item")
    with ctx.step(spark, "look"):
        t.selectExpr("count(DISTINCT family)").collect()
    with ctx.step(spark, "expand"):
        t.groupBy("family").agg({"item": "collect_list"}).selectExpr("max(size(`collect_list(item)`))").collect()


def make_scans(ctx, session):
    for part in range(8):
        r = random.Random(part)
        with open(f"{ctx.data}/scan-{part}.txt", "w", encoding="ascii") as f:
            f.writelines(f"{r.randrange(10**8)},{r.random():.6f},gate-{r.randrange(60)}\n" for _ in range(45_000))


@workload("slow_store", app="gate-scans", spark="4.1.1", prepare=make_scans,
          injected=[Inject("io_read_slow", step="scan", where="source", detail={"kib_per_s_per_connection": 200},
                           check={"input_mb": 4, "cpu_pct": (0, 50)})])
def slow_store(spark, ctx):
    lines = spark.read.option("wholetext", True).text(store.serve(ctx.data, 200 << 10) + "/").selectExpr(
        "explode(split(value, '\\n')) AS value")
    with ctx.step(spark, "scan"):
        lines.selectExpr("split(value, ',')[2] AS gate", "cast(split(value, ',')[1] AS double) AS s") \
            .groupBy("gate").agg({"s": "avg", "*": "count"}).collect()


@workload("to_pandas", app="churn-extract", spark="4.1.1", injected=[Inject("driver_bound", where="run")], may_also=("idle_executors",),
          note="Everything is fetched into the driver and gone through there, row by row.")
def to_pandas(spark, ctx):
    with ctx.step(spark, "extract"):
        found = rows(spark, 600_000, 4).selectExpr("id", "sha2(string(id), 256) AS mark").collect()
    total = 0
    for _ in range(60):
        for row in found:
            total += len(row[1])
    with ctx.step(spark, "check"):
        rows(spark, 1_000_000, 4).selectExpr(f"sum(id) + {total % 7}").collect()


@workload("ok_executors_come_and_go", app="hourly-blend", spark="3.5.9", mode="standalone", injected=healthy(),
          conf={**SMALL_EXECUTORS, "spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.shuffleTracking.enabled": "true",
                "spark.dynamicAllocation.minExecutors": "1", "spark.dynamicAllocation.maxExecutors": "2",
                "spark.dynamicAllocation.executorIdleTimeout": "3s", "spark.dynamicAllocation.schedulerBacklogTimeout": "1s"},
          note="Looks like lost executors and a run that waits: executors are let go and asked for again, as they are meant to be.")
def ok_executors_come_and_go(spark, ctx):
    from time import sleep
    for i in range(3):
        with ctx.step(spark, f"blend-{i}"):
            rows(spark, 180_000_000, 12).selectExpr("id % 100 AS k", f"xxhash64(id, {i}) AS h").groupBy("k").agg({"h": "max"}).collect()
        sleep(6)


@workload("ok_two_cpus_each", app="solver-rounds", spark="4.3.0", mode="local-cluster[1,4,1200]", injected=healthy(),
          conf={"spark.executor.memory": "1200m"},
          note="Looks like tasks too few for four cores: each of them takes two, by its resource profile.")
def ok_two_cpus_each(spark, ctx):
    from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
    two = ResourceProfileBuilder().require(TaskResourceRequests().cpus(2)).build

    def solve(part):
        from time import monotonic
        until = monotonic() + 5
        while monotonic() < until:
            sum(range(1000))
        yield sum(part)
    for i in range(3):
        with ctx.step(spark, f"round-{i}"):
            spark.sparkContext.parallelize(range(1000), 2).withResources(two).mapPartitions(solve).sum()


@workload("ok_split_by_spark", app="depot-join", spark="4.3.0", injected=healthy(),
          conf={"spark.sql.autoBroadcastJoinThreshold": "-1", "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "4m",
                "spark.sql.adaptive.advisoryPartitionSizeInBytes": "4m", "spark.sql.adaptive.skewJoin.skewedPartitionFactor": "3"},
          note="Looks like skew: most rows have one key, but Spark splits that partition itself.")
def ok_split_by_spark(spark, ctx):
    left = rows(spark, 3_000_000, 6).selectExpr("IF(id % 10 < 6, 0, id) AS depot", "sha2(string(id), 256) AS parcel")
    right = rows(spark, 3_000_000, 6).selectExpr("id AS depot", "sha2(string(id * 7), 256) AS name")
    with ctx.step(spark, "join"):
        left.join(right, "depot").selectExpr("max(parcel)", "max(name)").collect()


@workload("all_against_all", app="route-match", spark="3.5.9", conf=NO_BROADCAST, plan="CartesianProduct",
          injected=[Inject("cartesian", step="match", where="slowest_task")], may_also=("too_many_tasks",))
def all_against_all(spark, ctx):
    a = rows(spark, 26_000, 3).selectExpr("id AS a", "hash(id, 3) AS ha")
    b = rows(spark, 13_000, 3).selectExpr("id AS b", "hash(id, 5) AS hb")
    with ctx.step(spark, "match"):
        a.crossJoin(b).where("pmod(ha - cast(hb AS long), 997) = 1").selectExpr("count(*)", "max(a + b)").collect()
