#!/bin/bash
# peers.sh LOG REPORT: Spark's own replay of the same log (what its History Server does to show one application), built
# from the jars of the pyspark package. Called by run.sh --peers.
set -euo pipefail
cd "$(dirname "$0")/../.."
log=$1 report=$2 out=build/bench
venv=build/bench/spark
[ -x $venv/bin/python ] || { python3 -m venv $venv && $venv/bin/pip install -q pyspark==3.5.6; }
jars=$(echo $venv/lib/python3*/site-packages/pyspark/jars)
mkdir -p $out/replay
javac -cp "$jars/*" -d $out/replay tests/bench/Replay.java
echo "## Spark's own replay" | tee -a "$report"
BENCH_ROUNDS=1 python3 tests/bench/measure.py "$log" "$report" "simdjson on-demand, same fields, no detectors=$out/floor {}" \
  "stoker analyze=build/release/stoker analyze --format json {}" \
  "Spark 3.5.6 replay into its status store=java -Xmx4g --add-opens java.base/java.lang=ALL-UNNAMED -cp $out/replay:$jars/* Replay {}"
