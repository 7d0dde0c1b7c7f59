#!/bin/bash
# run.sh [SCENARIO...]: looks for data races with the thread sanitizer: in the unit tests that have threads, then
# in the live agent on real Kafka, through scenarios of the fault suite. Called by `make tsan`. Fails at any race
# outside librdkafka. The sanitizer must see all threads, so the library is built for it too, once, from the source
# of the very Debian package that is installed; without C11 threads, which the sanitizer knows nothing of.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$(pwd -P)
version=$(dpkg-query -W -f '${source:Version}' librdkafka-dev)
lib=$root/build/tsan-librdkafka/$version
export TSAN_OPTIONS="suppressions=$root/tests/tsan/suppressions.txt exitcode=66 history_size=4 second_deadlock_stack=1"

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

# From where the machine's packages come, by an apt of our own: nothing of the machine changes. A place without
# sources does not matter, as long as one has this package.
fetch_source() { # INTO
  local apt=$1/apt options file
  mkdir -p "$apt"/{parts,lists/partial,cache/archives/partial}
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    case $file in
      *.sources) sed 's/^Types:.*/Types: deb-src/' "$file" >"$apt/parts/${file##*/}" ;;
      *.list) [ ! -e "$file" ] || sed -n 's/^deb /deb-src /p' "$file" >"$apt/parts/${file##*/}" ;;
    esac
  done
  options=(-q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/parts"
    -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache")
  apt-get "${options[@]}" update || true
  (cd "$1" && apt-get "${options[@]}" source "librdkafka=$version")
}

build_library() {
  local part=$lib.part
  [ ! -e "$lib/librdkafka.so.1" ] || return 0
  command -v dpkg-source >/dev/null || fail "no dpkg-source: install the Debian package dpkg-dev"
  echo "run.sh: building librdkafka $version for the thread sanitizer"
  rm -rf "$part" "$lib" && mkdir -p "$part"
  {
    fetch_source "$part" && cd "$part"/librdkafka-*/ &&
      ./configure --disable-c11threads --disable-optimization --LDFLAGS=-fsanitize=thread \
        --CFLAGS="-fsanitize=thread -O1 -g -fno-omit-frame-pointer" &&
      make -C src -j2 librdkafka.so.1 && mv src/librdkafka.so.1 "$part" && cd "$root"
  } >"$lib.log" 2>&1 || fail "that failed, see $lib.log"
  mv "$part" "$lib"
}

passed=0 failed=0
note() { # RC NAME LOG...
  local rc=$1 name=$2
  shift 2
  # An agent that is killed has no exit code of the sanitizer's: its log tells.
  if [ "$rc" -eq 0 ] && ! grep -qa 'WARNING: ThreadSanitizer' "$@"; then
    passed=$((passed + 1)) && echo "ok      $name"
  else
    failed=$((failed + 1)) && echo "FAILED  $name, exit $rc, see $*"
    grep -ha '^SUMMARY: ThreadSanitizer' "$@" | sort | uniq -c || true
  fi
}

build_library
cmake --preset tsan >/dev/null && cmake --build --preset tsan
mkdir -p build/test-logs
for test in build/tsan/test_{agent,agent_errors,alert_doors,alertmanager,http,http_client,mem,replay_send} build/tsan/test_kafka_*; do
  log=build/test-logs/tsan-${test##*/}.log rc=0
  LD_LIBRARY_PATH=$lib timeout 600 "$test" >"$log" 2>&1 || rc=$?
  note $rc "${test##*/}" "$log"
done
tests/real/deps.sh
[ $# -gt 0 ] || set -- kill-workers scale zombie alert-survives
for scenario; do
  rc=0
  STOKER_LIBRDKAFKA=$lib build/venv/bin/python tests/faults/run.py --binary build/tsan/stoker \
    --scenario "$scenario" >"build/test-logs/tsan-$scenario.log" 2>&1 || rc=$?
  note $rc "$scenario" "build/test-logs/tsan-$scenario.log" build/fault-files/stoker-*/stoker.log
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
