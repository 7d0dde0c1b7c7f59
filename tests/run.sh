#!/bin/bash
# run.sh [STEP...]: every suite, or the steps named. Called by `make test`. Each step's output goes to
# build/test-logs/STEP.log; a step that prints "N passed, M failed" is counted by that, any other as one. A
# step that cannot start has failed: nothing is skipped. The last line counts all.
#
# Everything that two lanes use is built first, the fuzz targets among it, each source once for each compiler and sanitizer.
# Then three lanes run side by side, since what waits for a Kafka leaves the processors to the rest; each has folders and
# ports of its own.
set -u
cd "$(dirname "$0")/.."
. tests/steps.sh

step build-dev build dev all
step build bash -c 'tests/faults/build.sh && cmake --preset release -DSTOKER_BENCH=ON && cmake --build --preset release'
step build-fuzz build fuzz all
step real-deps tests/real/deps.sh
step listener-deps tests/listener/deps.sh
step proof-deps tests/corpus/deps.sh 4.1.1
step deploy-deps nice tests/deploy/deps.sh
{
  step faults build/venv/bin/python tests/faults/run.py --short
  step mutants tests/mutants/run.py --part
} &
{
  step habits nice tests/habits/run.sh
  step fuzz nice tests/fuzz/run.sh 10
  step memory nice python3 tests/bench/memory.py
  step hostile nice python3 tests/bench/hostile.py
  step portable nice tests/portable.sh
} &
step verdict build/venv/bin/python -B -m unittest discover -s tests/faults
step fastavro build/venv/bin/python -B -m unittest discover -s tests/avro -p 'test_*.py'
step manifest build/venv/bin/python -B -m unittest discover -s tests/commands -p 'test_*.py'
step unit unit dev dev
step golden tests/golden/run.sh build/dev/stoker
step cli tests/commands/cli.sh build/dev/stoker
step oracle oracle build/dev/stoker $(tests/oracle/logs.sh)
step quality tests/quality/quality.py build/dev/stoker --floors
step proof-parts python3 -B -m unittest discover -s tests/proof -p 'test_*.py'
step promtool tests/serve/promtool.sh
step deploy build/venv/bin/python -B -m unittest discover -s tests/deploy -p 'test_*.py'
step registry python3 tests/advise/registry.py build/dev/stoker
step real build/venv/bin/python tests/real/run.py
step listener build/venv/bin/python tests/listener/run.py
step proof python3 -B tests/proof/proof.py build/release/stoker --short
wait
total
