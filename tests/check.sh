#!/bin/bash
# check.sh [STEP...]: the fast part of tests/run.sh, for every change: no sanitizers, nothing but our own processes. Called by
# `make check`. The library that the tests are linked with is the one that users run.
set -u
cd "$(dirname "$0")/.."
. tests/steps.sh

step build build check all
step habits tests/habits/run.sh --light
step unit unit check release
step proof-parts python3 -B -m unittest discover -s tests/proof -p 'test_*.py'
step golden tests/golden/run.sh build/release/stoker
step cli tests/commands/cli.sh build/release/stoker
step oracle oracle build/release/stoker $(tests/oracle/logs.sh | sed -n '1~4p')
total
