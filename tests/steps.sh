# steps.sh: what tests/run.sh and tests/check.sh share: a step with its line and its count, and the suites that both run.
# Sourced by them alone, in the root of the tree.
export LC_ALL=C.UTF-8 ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
logs=build/test-logs
only=("$@")
mkdir -p $logs
rm -f $logs/*.count

step() { # NAME COMMAND...: may run beside other steps
  local name=$1; shift
  if [ ${#only[@]} -gt 0 ] && [[ " ${only[*]} " != *" $name "* ]]; then return; fi
  local log=$logs/$name.log start=$SECONDS rc=0
  echo 0 1 >"$logs/$name.count" # until it has ended
  "$@" >"$log" 2>&1 </dev/null || rc=$?
  local count p=0 f=0
  count=$(grep -aEo '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -1)
  if [ -n "$count" ]; then p=${count%% *} f=${count#*, } f=${f%% *}; fi
  if [ $rc -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
  if [ $rc -eq 0 ] && [ -z "$count" ]; then p=1; fi
  echo "$p $f" >"$logs/$name.count"
  if [ "$f" -eq 0 ]; then
    printf 'ok      %-12s %5d passed  %4d s\n' "$name" "$p" $((SECONDS - start))
  else
    printf 'FAILED  %-12s %5d passed, %d failed  %4d s, see %s\n' "$name" "$p" "$f" $((SECONDS - start)) "$log"
    { what_failed "$log"; echo ...; tail -40 "$log"; } | sed 's/^/        /'
  fi
}

what_failed() { # LOG: its first lines that say so, each with the reason below it: few, and before the end of the log, which may be long
  grep -aE -A2 --no-group-separator '^ *(FAIL|not ok|ERROR)|\[  FAILED  \]|\*\*\*Failed|\berror:' "$1" | grep -av '^ok ' |
    head -20 | cut -c1-200
}

total() { # the last line, and whether all is well
  local p f passed=0 failed=0
  while read -r p f; do passed=$((passed + p)) failed=$((failed + f)); done < <(cat $logs/*.count)
  echo "$passed passed, $failed failed"
  [ $failed -eq 0 ] && [ $passed -gt 0 ]
}

build() { # PRESET TARGET...
  cmake --preset "$1" && cmake --build --preset "$1" --target "${@:2}"
}

unit() { # PRESET FOLDER: every cmocka executable, several at once, since most wait most of the time; counts single test cases
  local said rc=0 bad
  said=$(ctest --preset "$1" 2>&1) || rc=$?
  printf '%s\n' "$said"
  bad=$(sed -nE 's/.*, ([0-9]+) tests? failed out of [0-9]+/\1/p' <<<"$said")
  echo "$(grep -ac '^\[       OK \]' "build/$2/Testing/Temporary/LastTest.log") passed, ${bad:-1} failed"
  [ $rc -eq 0 ]
}

oracle() { # BINARY LOG...: the agent against the independent oracle
  python3 -m unittest discover -s tests/oracle -p 'test_*.py' && python3 tests/oracle/compare.py "$@"
}
