#!/bin/bash
# run.sh BINARY [--update]: what `stoker analyze`, `compare` and `report` print for a few telling logs, against the files in this
# folder. --update writes them anew: look at the difference before you commit it. Called by tests/run.sh.
set -u
cd "$(dirname "$0")/../.."
binary=$1 update=${2:-}
passed=0 failed=0
check() { # NAME COMMAND...: its output is the file's
  local name=$1 want=tests/golden/$1; shift
  if [ "$update" = --update ]; then "$@" >"$want" 2>/dev/null; fi
  if "$@" 2>/dev/null | diff -u "$want" - >/tmp/golden.$$; then
    passed=$((passed + 1)); echo "ok   $name"
  else
    failed=$((failed + 1)); echo "FAIL $name"; head -40 /tmp/golden.$$
  fi
  rm -f /tmp/golden.$$
}
logs=(logs/skew_groupbykey logs/spill_sort logs/slow_host logs/executor_oom logs/contention_two_apps logs/ok_groupby
  shapes/attempts.jsonl shapes/hostile_text.jsonl shapes/nulls.jsonl shapes/fetch_failed.jsonl)
for log in "${logs[@]}"; do
  path=tests/fixtures/$log; [ -d "$path" ] && path=$path/events.jsonl.zst
  name=$(basename "$log" .jsonl)
  check "$name.json" "$binary" analyze --format json "$path"
  check "$name.text" "$binary" analyze --format text --all --color never "$path"
done
pipeline=tests/fixtures/logs/pipeline
check compare.text "$binary" compare --color never $pipeline/run4 $pipeline/run5
check compare_all.text "$binary" compare --color never --all tests/fixtures/logs/skew_join tests/fixtures/logs/skew_fixed_by_aqe
check compare.json "$binary" compare --format json $pipeline/run4 $pipeline/run5
check report.md "$binary" report $pipeline/run* tests/fixtures/shapes/hostile_text.jsonl
check report.html "$binary" report --format html --baseline run1 $pipeline/run* tests/fixtures/shapes/job_failed.jsonl
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
