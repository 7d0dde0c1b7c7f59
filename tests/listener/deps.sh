#!/bin/bash
# deps.sh [VERSION...|all]: sets up what tests/listener needs beyond tests/real/deps.sh, under build/, idempotently:
#   build/spark/VERSION   a Python venv with that pyspark; without an argument the versions of CI: the two of the listener's suites,
#                         and what tests/advise/registry.py asks besides
#   the listener's jar    by `make listener`
# Called by tests/run.sh and by make listener-matrix, listener-disasters and bench-listener. Whatever cannot be had ends with a
# line saying so and exit 1.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build
# One of each line of Spark that is promised, Scala 2.12 and 2.13.
all="3.3.4 3.5.6 4.0.1 4.1.1 4.2.0 4.3.0"
ci="3.5.6 4.1.1 4.3.0"
. "$root/tests/real/tries.sh"

spark() { # VERSION
  local venv=$build/spark/$1
  if "$venv/bin/python" -c 'import sys, pyspark; sys.exit(pyspark.__version__ != sys.argv[1])' "$1" 2>/dev/null; then return 0; fi
  echo "deps.sh: making build/spark/$1"
  rm -rf "$venv"
  try "python3 -m venv" python3 -m venv "$venv"
  # Its jars come with it. py4j is all it needs; pandas and the rest are for what no job of ours does.
  try "pip install pyspark==$1" "$venv/bin/python" -m pip install -q --disable-pip-version-check "pyspark==$1"
}

case ${1:-} in
  '') versions=$ci ;;
  all) versions=$all ;;
  *) versions=$* ;;
esac
command -v java >/dev/null || fail "no java: it comes with the Debian package openjdk-17-jdk-headless; \`make deps-test\` installs it"
"$root/tests/real/deps.sh"
mkdir -p "$build/spark"
exec 9>"$build/spark.lock"
flock 9
for version in $versions; do
  spark "$version"
done
make --no-print-directory -C "$root" listener || fail "make listener failed"
echo "deps.sh: Spark $versions and the listener's jar are ready"
