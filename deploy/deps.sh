#!/bin/bash
# deps.sh LIST...: installs the Debian packages named in the lists (one per line) that are missing. Called by
# make deps and make deps-test. Asks for sudo only if something is missing; starts no service.
set -euo pipefail

missing=()
for list in "$@"; do
  while read -r package; do
    case $package in '' | '#'*) continue ;; esac
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done <"$list"
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing: ${missing[*]}"
sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "deps: not root and no sudo; install by hand: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
# Packages that bring a daemon must not start it: a policy file forbids it while we install.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $policy >/dev/null
  "${sudo[@]}" chmod +x $policy
  made_policy=1
fi
finish() { [ -z "$made_policy" ] || "${sudo[@]}" rm -f $policy; }
trap finish EXIT
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { "${sudo[@]}" apt-get update -q && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -20 "$log" >&2
  echo "deps: apt-get could not install the packages above" >&2
  exit 1
fi
rm -f "$log"
