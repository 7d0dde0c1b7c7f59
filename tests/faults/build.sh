#!/bin/bash
# build.sh: the agents of the fault suite, build/release/stoker-faults and stoker-faults-later, which writes by the schemas of
# a later release. Called by tests/run.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
python3 -B tests/fixtures/later_schemas.py build/later-schemas
cmake --preset release
cmake --build --preset release --target stoker stoker-faults stoker-faults-later
