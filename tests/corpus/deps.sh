#!/bin/bash
# deps.sh: what record.py needs, under build/corpus, idempotently: a Python venv for each version of Spark, with pandas for the
# jobs that hand batches to Python; jars of table formats come by Spark's own --packages when a job asks for them. Called by whoever
# records. Whatever cannot be had ends with a line saying so and exit 1.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
versions=${*:-3.5.9 4.1.1 4.3.0}
. "$root/tests/real/tries.sh"
command -v java >/dev/null || fail "no java: it comes with the Debian package openjdk-17-jdk-headless"
mkdir -p "$root/build/corpus"
for version in $versions; do
  venv=$root/build/corpus/spark-$version
  if "$venv/bin/python" -c 'import sys, pandas, pyarrow, pyspark; sys.exit(pyspark.__version__ != sys.argv[1])' "$version" 2>/dev/null; then
    continue
  fi
  echo "deps.sh: making build/corpus/spark-$version"
  rm -rf "$venv"
  try "python3 -m venv" python3 -m venv "$venv"
  try "pip install pyspark==$version" "$venv/bin/python" -m pip install -q --disable-pip-version-check "pyspark==$version" \
    pandas==2.2.3 pyarrow==17.0.0 numpy==1.26.4 setuptools==75.8.0
done
echo "deps.sh: Spark $versions for recording are ready"
