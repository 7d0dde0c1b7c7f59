#!/bin/bash
# kafka.sh: what the live agent costs on a real broker, against its floors: latency of an alert, throughput with and
# without exactly once, restore of many applications. Called by make bench-kafka; the report is build/bench/kafka.md.
set -uo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build/bench
report=build/bench/kafka.md; : >$report
tests/real/deps.sh || exit 1
cmake --preset release -DSTOKER_BENCH=ON >/dev/null && cmake --build --preset release || exit 1
failed=0
for part in latency throughput restore; do
  echo "## $part" | tee -a $report
  build/venv/bin/python tests/bench/$part.py 2>&1 | tee -a $report || failed=1
  echo | tee -a $report
done
echo "report: $report"
exit $failed
