#!/bin/bash
# Sets up what the real-parts suites need, under build/, idempotently:
#   build/kafka/4.3.1, build/kafka/3.9.1   the broker's jars (Maven)
#   build/venv                             Python with requirements.txt
#   build/librdkafka-new/librdkafka.so.1   the newest librdkafka, for LD_LIBRARY_PATH
# Called by `make test`, after deploy/deps.sh has installed the Debian packages of packages.txt. `deps.sh kafka VERSION` fetches
# those jars alone, for who needs no more.
# Never skips anything quietly: whatever cannot be had ends with a line saying so and exit 1.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build
kafka_versions="4.3.1 3.9.1"
. "$here/tries.sh"

need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null ||
        fail "no $1: it comes with the Debian package $2; \`make deps-test\` installs it"
}

kafka_jars() { # VERSION
    local dir=$build/kafka/$1
    if [ -e "$dir/kafka_2.13-$1.jar" ] && cmp -s "$here/pom.xml" "$dir/.pom.xml"; then
        return 0
    fi
    echo "deps.sh: fetching Kafka $1"
    rm -rf "$dir" "$dir.part"
    mkdir -p "$build/kafka"
    try "fetching Kafka $1" mvn -q -B -f "$here/pom.xml" -Dkafka.version="$1" \
        dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$dir.part"
    [ -e "$dir.part/kafka_2.13-$1.jar" ] || fail "Maven fetched no kafka_2.13-$1.jar"
    cp "$here/pom.xml" "$dir.part/.pom.xml"
    mv "$dir.part" "$dir"
}

python_venv() {
    local stamp=$build/venv/.requirements.txt
    if cmp -s "$here/requirements.txt" "$stamp" && "$build/venv/bin/python" -c '' 2>/dev/null; then
        return 0
    fi
    echo "deps.sh: making build/venv"
    rm -rf "$build/venv"
    try "python3 -m venv" python3 -m venv "$build/venv"
    try "pip install" "$build/venv/bin/python" -m pip install -q --disable-pip-version-check \
        --only-binary :all: -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$stamp"
}

new_librdkafka() {
    local dir=$build/librdkafka-new found
    found=$(find "$(realpath "$build/venv")" -path '*confluent_kafka.libs/librdkafka-*.so.1')
    [ -n "$found" ] && [ "$(wc -l <<<"$found")" = 1 ] ||
        fail "expected one librdkafka in the confluent-kafka wheel, found: ${found:-none}"
    mkdir -p "$dir"
    ln -sfn "$found" "$dir/librdkafka.so.1"
    LD_LIBRARY_PATH=$dir python3 -c 'import ctypes; ctypes.CDLL("librdkafka.so.1")' 2>&1 ||
        fail "the new librdkafka does not load: $found"
}

mkdir -p "$build"
exec 9>"$build/deps.lock"
flock 9
need java openjdk-17-jre-headless
need mvn maven
if [ "${1:-}" = kafka ]; then
    kafka_jars "$2"
    exit 0
fi
need prometheus prometheus
need promtool prometheus
need prometheus-alertmanager prometheus-alertmanager
need kcat kcat
need zstd zstd
need openssl openssl
python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "needs Python 3.11 or later with venv: install the Debian package python3-venv (\`make deps-test\`)"
for version in $kafka_versions; do
    kafka_jars "$version"
done
python_venv
new_librdkafka
echo "deps.sh: Kafka $kafka_versions, build/venv and librdkafka-new are ready"
