#!/bin/bash
# run.sh SECONDS [NAME...]: builds every libFuzzer harness and runs each for so long on its seeds, which it must have. Called
# by make fuzz and, shortly, by tests/run.sh. A finding is written to build/fuzz-findings/ and fails the run.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1; shift
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
mkdir -p build/fuzz-findings
passed=0 failed=0
for source in tests/fuzz/fuzz_*.c; do
  name=$(basename "$source" .c) name=${name#fuzz_} bin=build/fuzz/fuzz_$name
  if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
  work=build/fuzz-corpus/$name; mkdir -p "$work"
  seeds=tests/fuzz/corpus/$name
  if "$bin" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -artifact_prefix=build/fuzz-findings/"$name"- -print_final_stats=1 "$work" "$seeds" >build/fuzz-findings/"$name".log 2>&1; then
    passed=$((passed + 1)); echo "ok   $name $(grep -aEo 'number_of_executed_units: [0-9]+' build/fuzz-findings/"$name".log)"
  else
    failed=$((failed + 1)); echo "FAIL $name"; tail -30 build/fuzz-findings/"$name".log
  fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
