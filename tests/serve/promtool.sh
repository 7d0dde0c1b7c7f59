#!/bin/bash
# promtool.sh [TEST_EXPOSITION]: Prometheus' own tool judges a rendered page and the shipped alert
# rules. Called by tests/run.sh; the argument is the test binary that renders the page. Nothing is
# skipped: without promtool this fails.
set -u
cd "$(dirname "$0")/../.."
binary=${1:-build/dev/test_exposition}
passed=0 failed=0
check() { # NAME COMMAND...
  local name=$1; shift
  if "$@"; then passed=$((passed + 1)); echo "ok   $name"; else failed=$((failed + 1)); echo "FAIL $name"; fi
}
page=$("$binary" --dump) || { echo "FAIL $binary prints no page"; exit 1; }
exposition() { promtool check metrics <<<"$page"; }
# Every metric that a rule names must be on the page: a rule over nothing never fires and nobody notices.
names() {
  local missing=0 name rules
  rules=$(grep -oE '\b(stoker|process)_[a-z_]+' deploy/prometheus/alerts.yml | sort -u)
  [ -n "$rules" ] || return 1
  for name in $rules; do
    grep -q "^# TYPE $name " <<<"$page" || { echo "no such metric: $name"; missing=1; }
  done
  return $missing
}
check exposition exposition
check rules promtool check rules deploy/prometheus/alerts.yml
check rule-tests promtool test rules deploy/prometheus/alerts_test.yml
check rule-metrics names
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
