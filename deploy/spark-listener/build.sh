#!/bin/bash
# build.sh [MAVEN ARGUMENT...]: target/stoker-spark-listener-VERSION.jar beside this file, tested; VERSION is the project's, from
# CMakeLists.txt. Called by `make listener`.
set -euo pipefail
cd "$(dirname "$0")"
version=$(sed -nE 's/^project\(stoker VERSION ([0-9.]+).*/\1/p' ../../CMakeLists.txt)
[ -n "$version" ] || { echo "build.sh: no version in CMakeLists.txt" >&2; exit 1; }
log=target/build.log
mkdir -p target
if ! mvn -B -Drevision="$version" integration-test "$@" >$log 2>&1; then
  grep -E '^\[ERROR\]|FAIL' $log | head -40 >&2
  echo "build.sh: Maven failed, see deploy/spark-listener/$log" >&2
  exit 1
fi
sed -nE 's/^\[(INFO|WARNING)\] Tests run: ([0-9]+), Failures: 0, Errors: 0.*[0-9]$/\2/p' $log | awk '{ n += $1 } END { print n " passed, 0 failed" }'
jar=target/stoker-spark-listener-$version.jar
# Whatever else were in it could take the place of a class of Spark's or the user's.
if foreign=$(jar tf "$jar" | grep -Ev '/$|^io/stoker/(spark|shaded/kafka)/|^META-INF/(MANIFEST.MF|LICENSE)|^(LICENSE|NOTICE)$'); then
  printf 'build.sh: not to be in the jar:\n%s\n' "$foreign" >&2
  exit 1
fi
echo "$jar"
