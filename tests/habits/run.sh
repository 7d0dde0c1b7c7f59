#!/bin/bash
# run.sh [--light]: the habits that keep the house in order, each a script of its own in this folder; --light leaves out
# those that read all the code. Called by tests/run.sh and tests/check.sh.
set -u
cd "$(dirname "$0")/../.."
passed=0 failed=0
check() { # NAME COMMAND...
  local name=$1; shift
  if "$@"; then passed=$((passed + 1)); echo "ok   $name"; else failed=$((failed + 1)); echo "FAIL $name"; fi
}
c_files() { git ls-files '*.c' '*.h' '*.cpp'; }
check floors python3 tests/habits/floors.py
check architecture python3 tests/habits/architecture.py
check comments python3 tests/habits/comments.py
check sizes python3 tests/habits/sizes.py
check externs python3 tests/habits/externs.py
check schemas python3 tests/habits/schemas.py
check kept python3 tests/habits/kept.py
check schemas-test python3 -B tests/habits/test_schemas.py
check metrics python3 tests/habits/metrics.py
check mutants python3 tests/mutants/run.py --check
check settings python3 tests/habits/settings.py
check support python3 tests/habits/support.py
check hardening tests/habits/hardening.py
check format clang-format-14 --dry-run --Werror $(c_files)
if [ "${1:-}" != --light ]; then
check cppcheck cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
  --suppressions-list=tests/habits/cppcheck.suppr -Iinclude -Iagent agent
check clang-tidy tests/habits/tidy.sh
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
