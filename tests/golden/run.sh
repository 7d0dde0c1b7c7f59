#!/bin/bash
# run.sh BINARY [--update]: what `stoker analyze` prints for a few telling logs, against the files in this folder. --update
# writes them anew: look at the difference before you commit it. Called by tests/run.sh.
set -u
cd "$(dirname "$0")/../.."
binary=$1 update=${2:-}
passed=0 failed=0
logs=(logs/skew_groupbykey logs/spill_sort logs/slow_host logs/executor_oom logs/contention_two_apps logs/ok_groupby
  shapes/attempts.jsonl shapes/hostile_text.jsonl shapes/nulls.jsonl shapes/fetch_failed.jsonl)
for log in "${logs[@]}"; do
  path=tests/fixtures/$log; [ -d "$path" ] && path=$path/events.jsonl.zst
  name=$(basename "$log" .jsonl)
  for format in json text; do
    want=tests/golden/$name.$format
    if [ $format = text ]; then more=(--all --color never); else more=(); fi
    if [ "$update" = --update ]; then "$binary" analyze --format $format "${more[@]}" "$path" >"$want" 2>/dev/null; fi
    if "$binary" analyze --format $format "${more[@]}" "$path" 2>/dev/null | diff -u "$want" - >/tmp/golden.$$; then
      passed=$((passed + 1)); echo "ok   $name.$format"
    else
      failed=$((failed + 1)); echo "FAIL $name.$format"; head -40 /tmp/golden.$$
    fi
    rm -f /tmp/golden.$$
  done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
