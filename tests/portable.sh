#!/bin/bash
# portable.sh: what README promises of processors. The release needs AVX2 in the decoder alone, where main.c asks for it; built
# with STOKER_PORTABLE, here by the other compiler, nothing needs more than any x86-64 has, and it judges alike. On another
# architecture there is nothing to look for, and the build must work. Called by tests/run.sh, after its build.
set -euo pipefail
cd "$(dirname "$0")/.."
passed=0 failed=0
check() { # NAME COMMAND...
  local name=$1; shift
  if "$@"; then passed=$((passed + 1)); echo "ok   $name"; else failed=$((failed + 1)); echo "FAIL $name"; fi
}

newer() { # FILE...: functions with instructions that came after SSE2
  objdump -d --no-show-raw-insn "$@" | awk '
    /^[0-9a-f]+ <.*>:$/ { name = $2 }
    /%[yz]mm|\tv[a-z0-9]+ .*%xmm|\t(popcnt|tzcnt|lzcnt|andn|bextr|pext|pdep|mulx|shlx|shrx|sarx|rorx|crc32[bwlq]?|pshufb|pcmp[ei]str[im]|ptest) / { print name }' |
    sort | uniq -c
}
baseline_only() { # FILE...: there are some, they can be read, and none has such functions
  local found
  [ $# -gt 0 ] && found=$(newer "$@") || return 1
  [ -z "$found" ] || { echo "$found" | head; return 1; }
}

release=build/release/CMakeFiles/stoker_rooms.dir/agent
build=build/portable
if [ "$(uname -m)" = x86_64 ]; then
  check "the decoder is where AVX2 is" test -n "$(newer $release/decode/*.o)"
  check "the other rooms need none" baseline_only $(find $release -name '*.o' -not -path '*/decode/*')
fi
cmake -S . -B $build -G Ninja -DSTOKER_PORTABLE=ON -DSTOKER_TESTS=OFF -DSTOKER_WERROR=ON -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14
cmake --build $build
if [ "$(uname -m)" = x86_64 ]; then check "the portable build needs none" baseline_only $build/stoker; fi
check "the portable build judges alike" tests/golden/run.sh $build/stoker
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
