#!/bin/bash
# run.sh [STEP...]: every suite, or the steps named. Called by `make test`. Each step's output goes to
# build/test-logs/STEP.log; a step that prints "N passed, M failed" is counted by that, any other as one. A
# step that cannot start has failed: nothing is skipped. The last line counts all.
set -u
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
logs=build/test-logs
mkdir -p $logs
passed=0 failed=0
only=("$@")

step() { # NAME COMMAND...
  local name=$1; shift
  if [ ${#only[@]} -gt 0 ] && [[ " ${only[*]} " != *" $name "* ]]; then return; fi
  local log=$logs/$name.log start=$SECONDS rc=0
  "$@" >"$log" 2>&1 </dev/null || rc=$?
  local count p=0 f=0
  count=$(grep -aEo '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -1)
  if [ -n "$count" ]; then p=${count%% *} f=${count#*, } f=${f%% *}; fi
  if [ $rc -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
  if [ $rc -eq 0 ] && [ -z "$count" ]; then p=1; fi
  passed=$((passed + p)) failed=$((failed + f))
  if [ "$f" -eq 0 ]; then
    printf 'ok      %-12s %5d passed  %4d s\n' "$name" "$p" $((SECONDS - start))
  else
    printf 'FAILED  %-12s %5d passed, %d failed  %4d s, see %s\n' "$name" "$p" "$f" $((SECONDS - start)) "$log"
    tail -40 "$log" | sed 's/^/        /'
  fi
}

unit() { # every cmocka executable under the sanitizers; counts single test cases
  local p=0 f=0 out bin
  for bin in build/dev/test_*; do
    case $bin in *.*) continue ;; esac
    echo "== $bin"
    if ! out=$(timeout 300 "$bin" 2>&1); then
      printf '%s\n' "$out" | tail -60
      f=$((f + 1))
    fi
    p=$((p + $(printf '%s\n' "$out" | grep -c '^\[       OK \]')))
  done
  [ $p -gt 0 ] || f=$((f + 1))
  echo "$p passed, $f failed"
  [ $f -eq 0 ]
}

oracle() { # the agent against the independent oracle, on every log
  python3 -m unittest discover -s tests/oracle -p 'test_*.py' &&
    find tests/fixtures/logs tests/fixtures/shapes -mindepth 1 -maxdepth 1 >/dev/null &&
    python3 tests/oracle/compare.py build/dev/stoker $(tests/oracle/logs.sh)
}

step build-dev bash -c 'cmake --preset dev && cmake --build --preset dev'
step build bash -c 'cmake --preset release && cmake --build --preset release'
step habits tests/habits/run.sh
step unit unit
step oracle oracle
step golden tests/golden/run.sh build/dev/stoker
step cli tests/commands/cli.sh build/dev/stoker
step promtool tests/serve/promtool.sh
step fuzz tests/fuzz/run.sh 10
step real-deps tests/real/deps.sh
step fastavro build/venv/bin/python -B -m unittest discover -s tests/avro -p 'test_*.py'
step real build/venv/bin/python tests/real/run.py
step build-faults tests/faults/build.sh
step verdict build/venv/bin/python -B -m unittest discover -s tests/faults
step faults build/venv/bin/python tests/faults/run.py --short
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
