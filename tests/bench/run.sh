#!/bin/bash
# run.sh [--peers]: what judging an event log costs, side by side with its floors, in one run on this machine. Called by
# make bench. Figures are minima over BENCH_ROUNDS (5) interleaved rounds; the report is build/bench/report.md.
# BENCH_BYTES (1.05e9) is the size of the large log. --peers adds Spark's own replay (needs Java and Maven).
set -euo pipefail
cd "$(dirname "$0")/../.."
out=build/bench; mkdir -p $out
report=$out/report.md; : >$report
bytes=${BENCH_BYTES:-1.05e9}
venv=build/venv/bin/python
[ -x $venv ] || tests/real/deps.sh

cmake --preset release -DSTOKER_BENCH=ON >/dev/null
cmake --build --preset release
g++ -O3 -DNDEBUG -march=haswell -std=c++17 tests/bench/floor.cpp -o $out/floor -lsimdjson

log=$out/large.jsonl
[ -s $log ] && [ "$(stat -c %s $log)" -ge 1000000000 ] || python3 tests/bench/amplify.py tests/fixtures/logs/io_small_files/events.jsonl.zst "$bytes" $log
stoker=build/release/stoker

echo "## Offline analysis" | tee -a $report
commands=("simdjson on-demand, same fields, no detectors=$out/floor {}"
  "stoker analyze=$stoker analyze --format json {}"
  "stoker's decoder alone=build/release/bench_decode simd {}")
python3 tests/bench/measure.py $log $report "${commands[@]}"
echo "Slow readers, one round each" | tee -a $report
BENCH_ROUNDS=1 python3 tests/bench/measure.py $log $report "simdjson on-demand, same fields, no detectors=$out/floor {}" \
  "jansson decoder=build/release/bench_decode jansson {}" "Python orjson script=$venv tests/bench/stages_orjson.py {}"

echo "## Memory against tasks in a stage" | tee -a $report
for tasks in 1000 100000 1000000; do
  python3 tests/bench/many_tasks.py $tasks $out/tasks.jsonl
  BENCH_ROUNDS=1 python3 tests/bench/measure.py $out/tasks.jsonl $report "stoker analyze, $tasks tasks=$stoker analyze --format json {}"
  rm -f $out/tasks.jsonl
done

echo "## Memory against live applications" | tee -a $report
build/release/bench_apps tests/fixtures/logs/skew_join/events.jsonl.zst 1 1000 10000 | tee -a $report

echo "## Memory against pipelines" | tee -a $report
build/release/bench_pipelines 1000 10000 | tee -a $report

echo "## Records" | tee -a $report
build/release/bench_avro | tee -a $report

if [ "${1:-}" = --peers ]; then tests/bench/peers.sh $log $report; fi
echo "report: $report"
