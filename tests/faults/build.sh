#!/bin/bash
# build.sh [CMAKE-OPTION...]: the agents of the fault suite: build/faults, and build/faults-later, which writes by the schemas
# of a later release. Called by tests/run.sh and tests/faults/mutants.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
python3 -B tests/fixtures/later_schemas.py build/later-schemas
for preset in faults faults-later; do
  cmake --preset $preset "$@"
  cmake --build --preset $preset
done
