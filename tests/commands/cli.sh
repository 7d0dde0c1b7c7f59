#!/bin/bash
# cli.sh BINARY: the real program from outside: help, complaints, exit codes, colour, completion, man page, and that
# the committed pages are what the program prints. One line a check; the last line counts. Called by tests/run.sh.
set -u
binary=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
while read -r name; do unset "$name"; done < <(compgen -e STOKER_)
unset NO_COLOR
passed=0 failed=0

ok() { # NAME COMMAND...: the command must succeed
  local name=$1; shift
  if "$@" >"$tmp/said" 2>&1; then
    passed=$((passed + 1)); echo "ok      $name"
  else
    failed=$((failed + 1)); echo "not ok  $name"; head -20 "$tmp/said" | sed 's/^/        /'
  fi
}

exits() { # CODE WORDS...: runs the program; its output is in out and err
  local want=$1 code; shift
  "$binary" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
  code=$?
  [ $code -eq "$want" ] || { echo "exit $code, not $want"; cat "$tmp/out" "$tmp/err"; return 1; }
}
says() { grep -qF -- "$1" "$tmp/out" || { echo "does not say: $1"; cat "$tmp/out"; return 1; }; }
complains() { grep -qF -- "$1" "$tmp/err" || { echo "does not complain: $1"; cat "$tmp/err"; return 1; }; }
escape=$(printf '\033')
colored() { grep -q "$escape\\[[0-9;]*m" "$tmp/out"; }
empty() { [ ! -s "$1" ] || { echo "not empty:"; cat "$1"; return 1; }; }

# --- help
commands=$("$binary" --help | sed -n 's/^  \([a-z-]*\)  .*/\1/p')
listed() { # every row of commands.def in its order, but man, which users do not need
  diff <(sed -n 's/^COMMAND(\(.*\))$/\1/p' include/commands/commands.def | tr _ - | grep -vx man) - <<<"$commands" && [ -n "$commands" ]
}
ok "the list holds every command" listed
no_words() { exits 64 && complains "usage: stoker COMMAND" && empty "$tmp/out"; }
ok "no words: the list, on standard error" no_words
help_of() {
  exits 0 "$1" --help && empty "$tmp/err" && says "usage: stoker $1" && says "Exit codes:" &&
    cp "$tmp/out" "$tmp/help" && exits 0 help "$1" && cmp "$tmp/help" "$tmp/out" &&
    exits 0 "$1" -h && cmp "$tmp/help" "$tmp/out"
}
for command in $commands man; do ok "help of $command" help_of "$command"; done
wide() { ! "$binary" "$1" --help | grep -nE '^.{121}'; }
for command in $commands; do ok "help of $command fits 120 columns" wide "$command"; done
unknown_option() { exits 64 "$1" --no-such-thing && complains "unknown option --no-such-thing" && empty "$tmp/out"; }
for command in $commands; do ok "$command: unknown option" unknown_option "$command"; done

# --- complaints and exit codes
unknown_command() { exits 64 analyse && complains "did you mean analyze?"; }
ok "unknown command" unknown_command
version() { exits 0 version && cp "$tmp/out" "$tmp/v" && exits 0 --version && cmp "$tmp/v" "$tmp/out" &&
  exits 0 -V && grep -qE '^stoker [0-9]+\.[0-9]+\.[0-9]+$' "$tmp/v" &&
  [ "$(grep -cE '^  [a-z]+ +[0-9]+\.[0-9.]+$' "$tmp/v")" -eq 6 ]; }
ok "version" version
version_json() { exits 0 version --json && python3 -c '
import json, sys
said, text = json.load(open(sys.argv[1])), open(sys.argv[2]).read().split()
assert [said["name"], said["version"], *(w for pair in said["libraries"].items() for w in pair)] == text, (said, text)
assert said["avro_write_versions"][0] == "current" and "0.1.0" in said["avro_write_versions"]' "$tmp/out" "$tmp/v"; }
ok "version: as JSON, the same" version_json
printf 'kafka:\n  brokrs: a\n  consumer: {session.timeout.msx: 1}\nlog: {level: loud}\n' >"$tmp/bad.yaml"
bad_file() {
  exits 78 check -c "$tmp/bad.yaml" && empty "$tmp/out" &&
    complains "$tmp/bad.yaml:2: kafka.brokrs: unknown key; did you mean kafka.brokers?" &&
    complains "$tmp/bad.yaml:4: log.level: not a choice: loud" &&
    complains "$tmp/bad.yaml:3: kafka.consumer.session.timeout.msx: No such configuration property"
}
ok "check: every mistake with its place" bad_file
sasl_file() { # a login is several properties, none of which makes sense alone
  printf 'kafka:\n  common: {security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.username: me, sasl.password: hush}\n' >"$tmp/sasl.yaml"
  exits 0 check -c "$tmp/sasl.yaml" && empty "$tmp/err"
}
ok "check: a login by SASL is fine" sasl_file
# --- doctor: without anybody there it still says what it can, in time
nobody=(doctor --set kafka.brokers=127.0.0.1:1 --set http.listen=127.0.0.1:0 --timeout 1s)
doctor_nobody() {
  exits 1 "${nobody[@]}" && says "FAIL     brokers " && says "Connection refused" && says "-> kafka.brokers: is this the port" &&
    says "skipped  events " && says "ok       pages " && says "1 failed, 0 warned" && empty "$tmp/err" && ! colored
}
doctor_json() {
  exits 1 "${nobody[@]}" --format json && python3 - "$tmp/out" <<'PYTHON'
import json, sys
said = json.load(open(sys.argv[1]))
marks = {line["check"]: line["mark"] for line in said["checks"]}
assert not said["ok"] and said["failed"] == 1 and marks["brokers"] == "FAIL" and marks["pages"] == "ok", said
PYTHON
}
doctor_color() { exits 1 "${nobody[@]}" --color=always && colored; }
doctor_secret() {
  exits 1 "${nobody[@]}" --set kafka.common.security.protocol=SASL_PLAINTEXT --set kafka.common.sasl.mechanism=PLAIN \
    --set kafka.common.sasl.username=me --set kafka.common.sasl.password=hush-hush --log-level debug &&
    says "(SASL_PLAINTEXT PLAIN, librdkafka" && ! grep -r hush-hush "$tmp/out" "$tmp/err"
}
doctor_logs() {
  mkdir -p "$tmp/logs" "$tmp/no-logs" && touch "$tmp/logs/app-1"
  exits 1 "${nobody[@]}" --set "input.event_logs=$tmp/logs,$tmp/no-logs,$tmp/none" && says "ok       logs      $tmp/logs can be read and has 1 entries" &&
    says "warn     logs      $tmp/no-logs can be read and has 0 entries" && says "FAIL     logs      $tmp/none: No such file" && says "2 failed, 1 warned"
}
ok "doctor: folders of event logs" doctor_logs
doctor_bad() { exits 78 doctor -c "$tmp/bad.yaml" && complains "$tmp/bad.yaml:2: " && empty "$tmp/out"; }
doctor_words() {
  exits 64 doctor --timeout soon && complains "--timeout wants a time" && exits 64 doctor --records 0 && complains "--records wants"
}
connect_nobody() { exits 1 check --connect --set kafka.brokers=127.0.0.1:1 && says "FAIL     brokers " && ! says "rights" 2>/dev/null >&2; }
tail_nobody() { # whoever looks at an empty screen is told why
  timeout 20 "$binary" tail --set kafka.brokers=127.0.0.1:1 --log-level error >"$tmp/out" 2>"$tmp/err" &
  local pid=$! i
  for i in {1..100}; do [ -s "$tmp/err" ] && break; sleep 0.1; done
  kill -TERM $pid; wait $pid
  complains "stoker tail: Kafka at 127.0.0.1:1 cannot be reached" && empty "$tmp/out"
}
ok "tail: says why nothing comes" tail_nobody
tail_topics() { # as many as are read: none is left out without a word
  local many; many=$(seq -s, 17)
  exits 64 tail --topic "$many" && complains "--topic wants 1 to 16 names with commas, not $many" && exits 64 tail --topic a,,b && complains "not a,,b"
}
ok "tail: topics that cannot be read together" tail_topics
ok "doctor: nobody there" doctor_nobody
ok "doctor: as JSON" doctor_json
ok "doctor: in colour" doctor_color
ok "doctor: no secret" doctor_secret
ok "doctor: a bad file is exit 78" doctor_bad
ok "doctor: wrong words" doctor_words
ok "check --connect: nobody there" connect_nobody
state_of_one() { exits 64 state --app a --pipeline p && complains "give --app or --pipeline, not both"; }
ok "state shows an application or a pipeline, not both" state_of_one
state_partition() { exits 64 state --partition x && complains "--partition wants a number, not x"; }
ok "state --partition wants a number" state_partition
for command in run topics healthcheck; do
  words=$command; [ $command = topics ] && words="topics --verify"
  bad_for() { exits 78 $words -c "$tmp/bad.yaml" && complains "$tmp/bad.yaml:2: "; }
  ok "$command: a bad file is exit 78" bad_for
done
bad_variable() { STOKER_KAFKA__BROKRS=a exits 78 check && complains "STOKER_KAFKA__BROKRS: kafka.brokrs: unknown key"; }
ok "check: a wrong variable" bad_variable
good_variable() { STOKER_KAFKA__BROKERS=b:1 exits 0 config show && says 'brokers: "b:1" # STOKER_KAFKA__BROKERS'; }
ok "config show: a variable" good_variable
good_file() { exits 0 check -c config/stoker.yaml && empty "$tmp/err"; }
ok "check: the committed sample is fine" good_file
missing_file() { exits 78 check -c "$tmp/none.yaml" && complains "$tmp/none.yaml: cannot be read: No such file"; }
ok "check: a missing file" missing_file
secret() {
  printf 'hush-hush\n' >"$tmp/secret"
  exits 0 config show --set kafka.common.sasl.password=hush-hush --set alertmanager.bearer_token_file="$tmp/secret" &&
    says '"sasl.password": "[hidden]"' && says 'bearer_token: "[hidden]"' && ! grep -r hush-hush "$tmp/out" "$tmp/err"
}
ok "config show: no secret" secret
no_agent() { exits 1 healthcheck --url http://127.0.0.1:1/readyz && complains "Connection refused"; }
ok "healthcheck: nobody there is exit 1" no_agent
full_disk() { "$binary" "$@" >/dev/full 2>"$tmp/err"; [ $? -eq 1 ] && complains "standard output"; }
ok "config doc: a full disk is exit 1" full_disk config doc
ok "version: a full disk is exit 1" full_disk version
ok "help: a full disk is exit 1" full_disk help
ok "run --help: a full disk is exit 1" full_disk run --help
bad_listen() { # what run could not bind is a mistake for everyone who reads the settings
  for words in check "config show" run; do
    exits 78 $words --set http.listen=example.com:9571 && complains "--set: http.listen: not an address to listen on" ||
      return 1
  done
}
ok "http.listen: check and run agree" bad_listen
bad_hosts() { exits 78 check --set http.hosts=stoker:9571 && complains "--set: http.hosts: not a name: stoker:9571"; }
ok "http.hosts: a name has no port" bad_hosts
ended_early() { # by a signal as soon as its pages answer, while its workers still start
  local port pid code
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$binary" run --set kafka.brokers=127.0.0.1:1 --set agent.workers=8 --set "http.listen=127.0.0.1:$port" "$@" 2>"$tmp/err" &
  pid=$!
  until (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do kill -0 $pid || return 1; done
  kill -TERM $pid
  wait $pid
  code=$?
  [ $code -eq 0 ] || { echo "exit $code"; cat "$tmp/err"; return 1; }
}
ok "run: a signal while it starts ends it well" ended_early
ok "run: and while it looks for a predecessor" ended_early --set agent.group=stoker-eu
taken_port() { # may be free again soon: an exit after which the unit tries again, unlike a mistake in the settings
  local never code
  python3 - "$binary" >"$tmp/out" 2>"$tmp/err" <<'PYTHON'
import socket, subprocess, sys
taken = socket.socket()
taken.bind(("127.0.0.1", 0))
taken.listen()
listen = f"http.listen=127.0.0.1:{taken.getsockname()[1]}"
sys.exit(subprocess.run([sys.argv[1], "run", "--set", "kafka.brokers=127.0.0.1:1", "--set", listen]).returncode)
PYTHON
  code=$?
  never=$(sed -n 's/^RestartPreventExitStatus=//p' deploy/systemd/stoker.service)
  [ $code -eq 1 ] && [[ " $never " == *" 78 "* && " $never " != *" $code "* ]] || { echo "exit $code"; return 1; }
  complains "the port is taken"
}
ok "run: a taken port is exit 1, after which the unit tries again" taken_port
help_of_help() { exits 0 --help && cp "$tmp/out" "$tmp/list" && exits 0 help help && cmp "$tmp/list" "$tmp/out" &&
  exits 0 help --help && cmp "$tmp/list" "$tmp/out"; }
ok "help of help is the list" help_of_help

# --- analyze: what cannot be judged is the end of no other log, and shows in the exit code
log=$(find tests/fixtures/logs -name 'events.jsonl.zst' | sort | head -1)
ok "there is a log to look at" test -n "$log"
one_is_missing() { exits 1 analyze "$tmp/none" "$log" && complains "$tmp/none" && says succeeded; }
printf '{"no":"event"}\n' >"$tmp/empty"
one_is_no_log() { exits 1 analyze "$log" "$tmp/empty" && complains "holds no Spark event"; }
ok "a log that is not there" one_is_missing
ok "a log without an event" one_is_no_log

# --- advise: by the formulas, of a log, for Kubernetes
formulas() {
  exits 0 advise --data-size 500GB --executors 20 --executor-cores 4 && empty "$tmp/err" && says "--conf spark.executor.memory=50g" &&
    says "spark.driver.memory 25g" && says "spark.executor.memoryOverhead 5g" && says "SET spark.sql.shuffle.partitions=1000;" &&
    says '"spark.executor.instances": "20"' && says "80 tasks at once: 12.5 waves" && says "CROSS JOIN range(10)" &&
    ! grep -qF "SET spark.executor" "$tmp/out"
}
formulas_json() {
  exits 0 advise --data-size 0 --format json && python3 - "$tmp/out" <<'PYTHON'
import json, sys
said = json.load(open(sys.argv[1]))
want = {"spark.executor.memory": "4g", "spark.driver.memory": "2g", "spark.executor.memoryOverhead": "384m",
        "spark.sql.shuffle.partitions": "1", "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.shuffle.compress": "true", "spark.shuffle.spill.compress": "true", "spark.sql.adaptive.enabled": "true"}
assert want.items() <= said["settings"].items(), said
assert {r["kind"] for r in said["recommendations"]} == {"partitioning", "memory", "join"}, said
PYTHON
}
near_enough() {
  exits 0 advise --data-size 12800m --partitions 120 && says "Leave the 120 partitions" && ! grep -qF shuffle.partitions "$tmp/out" &&
    exits 0 advise --data-size 12800m --partitions 126 && says "spark.sql.shuffle.partitions=100"
}
advise_words() {
  exits 64 advise && complains "which log?" && exits 64 advise --data-size much && complains "--data-size wants a size" &&
    exits 64 advise --data-size 1g --executors 0 && complains "--executors wants a number" &&
    exits 64 advise kubernetes && complains "which image?" && exits 64 advise kubernetes --image 'a b' && complains "--image wants one word" &&
    exits 64 advise --format yaml "$log" && complains "--format yaml is for kubernetes" &&
    exits 64 advise kubernetes a b && complains "one LOG at most" && exits 1 advise "$tmp/none" && complains "$tmp/none"
}
advise_log() { # one set, and every piece whole
  exits 0 advise tests/fixtures/logs/skew_join/events.jsonl.zst && empty "$tmp/err" && ! colored && says "  What " && says "  Why " &&
    says "  Saves " && says "  When not " && says "  Settings " && exits 0 advise --color always "$log" && colored &&
    exits 0 advise tests/fixtures/logs/unsplittable_gz/events.jsonl.zst && says "  Code "
}
advise_clean() { exits 0 advise tests/fixtures/logs/ok_join/events.jsonl.zst && says "Nothing to advise." && ! grep -qF -- --conf "$tmp/out"; }
ok "advise: the formulas" formulas
ok "advise: the formulas as JSON" formulas_json
ok "advise: partitions that are near enough stay" near_enough
ok "advise: what its line may not say" advise_words
ok "advise: of a log" advise_log
ok "advise: nothing on a healthy run" advise_clean

# --- the demo: to its end, everything released
demo_ends() {
  exits 0 demo --speed 50 && says "Stoker demo" && says "pipeline_failure" && says "nothing here costs time worth saving" &&
    says "Where to go from here" && empty "$tmp/err"
}
ok "demo: plays to its end" demo_ends

# --- the gate of analyze: its exit codes, and a line for each limit that is breached
pipeline=tests/fixtures/logs/pipeline slow=tests/fixtures/logs/pipeline/run5 running=tests/fixtures/shapes/still_running.jsonl.inprogress
gate_fine() { exits 0 analyze --max-duration 2m --max-skew 10 --max-spill 10g --max-failed-tasks 0 "$slow" && says succeeded && empty "$tmp/err"; }
gate_duration() {
  exits 2 analyze --max-duration 30s "$slow" && says succeeded &&
    complains "breached: --max-duration: the run took 38.8 s, more than 30.0 s; its longest stage is 1 (collect at /opt/jobs/job.py:550) with 32.9 s"
}
gate_spill() { exits 2 analyze --max-spill 100m "$slow" && complains "breached: --max-spill: 534.4 MiB were spilled to disk, more than 100.0 MiB; most by stage 1 "; }
gate_skew() { exits 2 analyze --max-skew 4 tests/fixtures/logs/skew_groupbykey && complains "breached: --max-skew: stage 1 (" && complains "times the mean of"; }
gate_failed_tasks() { exits 2 analyze --max-failed-tasks 0 tests/fixtures/logs/task_retries && complains "breached: --max-failed-tasks: " && complains "most of stage "; }
gate_findings() { exits 2 analyze --fail-on severe tests/fixtures/logs/skew_groupbykey && complains "breached: --fail-on: severe data_skew (data): stage 1:" &&
  exits 0 analyze --fail-on critical tests/fixtures/logs/skew_groupbykey && empty "$tmp/err"; }
gate_baseline() {
  exits 2 analyze --baseline $pipeline/run4 "$slow" && complains "breached: --max-slowdown: the run took 38.8 s and the baseline 10.9 s, on 1.00 times the data: " &&
    complains "more than 20 %; most of it stage 1 (collect at /opt/jobs/job.py:550) with " && complains "times the CPU time for each record" &&
    exits 0 analyze --baseline $pipeline/run4 --max-slowdown 300% "$slow" && exits 0 analyze --baseline "$slow" $pipeline/run4 && empty "$tmp/err"
}
gate_new() { exits 2 analyze --baseline $pipeline/run4 --max-slowdown 4 --fail-on-new low "$slow" && complains "breached: --fail-on-new: new: " &&
  exits 0 analyze --baseline "$slow" --fail-on-new low "$slow"; }
gate_inconclusive() { # running, failed, a baseline that failed; a breach outweighs it
  exits 3 analyze --max-duration 10h $running && complains "inconclusive: the run has not ended" &&
    exits 3 analyze --max-duration 10h tests/fixtures/shapes/job_failed.jsonl && complains "inconclusive: the run failed" &&
    exits 3 analyze --baseline tests/fixtures/shapes/job_failed.jsonl "$slow" && complains "inconclusive: the baseline failed" &&
    exits 2 analyze --max-duration 1ms $running && complains "inconclusive: the run has not ended" && complains "breached: --max-duration: "
}
gate_unreadable() {
  exits 1 analyze --max-duration 2m "$tmp/none" "$slow" && exits 1 analyze --max-duration 2m --baseline "$tmp/none" "$slow" && empty "$tmp/out" &&
    exits 2 analyze --max-duration 1s "$tmp/none" "$slow"
}
gate_words() {
  local words
  for words in "--max-duration soon" "--max-skew 0.5" "--max-skew x" "--max-spill much" "--max-failed-tasks -1" "--fail-on bad" "--fail-on negligible"; do
    exits 64 analyze $words "$slow" && complains " wants " && empty "$tmp/out" || return 1
  done
  exits 64 analyze --fail-on-new low "$slow" && complains "--fail-on-new wants a --baseline" && exits 64 analyze --max-slowdown 10% "$slow" &&
    complains "--max-slowdown wants a --baseline" && exits 64 analyze --baseline "$slow" --max-slowdown x "$slow" && exits 0 analyze --help &&
    says "2 a limit is breached, 3 that cannot be told"
}
gate_many() { # whose limit it is
  exits 2 analyze --max-duration 30s $pipeline/run4 "$slow" && [ "$(grep -c breached "$tmp/err")" = 1 ] && grep -qE '^stoker analyze: breached: local-[0-9]+: --max-duration: ' "$tmp/err"
}
gate_json() {
  exits 2 analyze --format json --max-duration 30s "$slow" && python3 - "$tmp/out" <<'PYTHON'
import json, sys
gate = json.load(open(sys.argv[1]))["gate"]
assert gate["verdict"] == "breached" and [(l["limit"], l["stage"], l["allowed"]) for l in gate["lines"]] == [("max-duration", 1, 30)], gate
PYTHON
}
for check in fine duration spill skew failed_tasks findings baseline new inconclusive unreadable words many json; do ok "gate: $check" gate_$check; done

# --- compare and report
compare_words() {
  exits 64 compare "$slow" && complains "which two logs?" && exits 64 compare --format xml "$slow" "$slow" && exits 1 compare "$slow" "$tmp/none" &&
    complains "$tmp/none" && empty "$tmp/out" && exits 0 compare --color=always $pipeline/run4 "$slow" && colored && exits 0 compare $pipeline/run4 "$slow" && ! colored
}
compare_narrow() { # on a terminal of 60 columns, whatever the names
  script -qec "stty cols 60; $(printf '%q ' "$binary" compare --all --color=never tests/fixtures/logs/skew_join tests/fixtures/shapes/hostile_text.jsonl)" /dev/null \
    </dev/null 2>&1 | tr -d '\r' >"$tmp/out" && says "Only in A" && ! grep -aE '.{61}' "$tmp/out"
}
compare_several() { exits 0 compare tests/fixtures/shapes/restarted.jsonl "$slow" && complains "2 runs are in it; the last one is taken"; }
report_words() {
  exits 64 report && complains "which logs?" && exits 1 report --baseline nobody "$slow" && complains "--baseline nobody names no run" && empty "$tmp/out" &&
    exits 1 report "$slow" "$tmp/none" && says "# Stoker benchmark report" && exits 1 report "$tmp/none" && empty "$tmp/out" && exits 64 report --format text "$slow"
}
report_day() { exits 0 report --format json --baseline "$(date -u -d @1795411485 +%F)" $pipeline/run* && grep -q '"baseline":true' "$tmp/out"; }
ok "compare: its words and exit codes" compare_words
ok "compare: no line is wider than the terminal" compare_narrow
ok "compare: a log of several runs" compare_several
ok "report: its words and exit codes" report_words
ok "report: a day is a baseline" report_day
figures() { python3 -B tests/commands/figures.py "$binary"; }
ok "report, compare and gate: every number follows from analyze" figures

# --- the past of a pipeline out of the topics
recall_words() {
  local words
  exits 64 report --since 30d "$slow" && complains "--since is for --pipeline" && exits 64 compare --limit 3 a b && complains "--limit is for --pipeline" &&
    exits 64 advise --brokers b:1 "$slow" && complains "--brokers is for --pipeline" && exits 64 report --pipeline etl "$slow" &&
    complains "--pipeline is for runs out of the topics, not for $slow" && exits 64 compare --pipeline etl a && complains "which two runs?" &&
    exits 64 advise --pipeline etl a b && complains "one RUN at most" && exits 64 advise --pipeline etl --data-size 1g && complains "out of the topics" &&
    exits 64 advise --pipeline etl --format yaml && exits 64 advise kubernetes --pipeline etl && complains "kubernetes takes a LOG" || return 1
  for words in "--since soon" "--since 30" "--since 2026-02-31" "--since 1969-01-01" "--limit 0" "--limit 10001" "--limit x"; do
    exits 64 report --pipeline etl $words && complains " wants " && empty "$tmp/out" || return 1
  done
  exits 64 report --pipeline "" && complains "--pipeline wants a name" && exits 64 report --pipeline "$(printf '%0257d' 0)" && exits 78 report --pipeline etl -c "$tmp/bad.yaml" &&
    complains "$tmp/bad.yaml:2: "
}
recall_nobody() { # told at once, not after the time that an answer may take
  local words from=$SECONDS
  for words in report compare advise; do
    exits 1 $words --pipeline etl --brokers 127.0.0.1:1 --log-level error --since 2026-11-30 && complains "stoker $words: Kafka at 127.0.0.1:1 cannot be reached" &&
      complains "is kafka.brokers right?" && empty "$tmp/out" || return 1
  done
  [ $((SECONDS - from)) -lt 12 ] || { echo "$((SECONDS - from)) s"; return 1; }
}
ok "report, compare, advise --pipeline: what their lines may not say" recall_words
ok "report, compare, advise --pipeline: nobody there" recall_nobody

# --- bench-job, with a stand-in for Spark: it finds out where its event log is to go as spark-submit and pyspark do
cat >"$tmp/job.sh" <<'JOB'
#!/bin/bash
# job.sh SIZE RUN: leaves the event log of that run of the pipeline; a size of 13 fails, 14 writes none, 15 takes long
[ "$STOKER_BENCH_SIZE" = "$1" ] || exit 9
echo "working on $1, turn $STOKER_BENCH_ITERATION"
[ "$1" != 13 ] || { echo "no luck today" >&2; exit 3; }
[ "$1" != 14 ] || exit 0
[ "$1" != 15 ] || sleep 60
dir=$(sed -n 's/.*-Dspark.eventLog.dir=file:\/\/\([^ ]*\).*/\1/p' <<<"$SPARK_SUBMIT_OPTS")
[[ "$SPARK_SUBMIT_OPTS" == *-Dspark.eventLog.enabled=true* && "$PYSPARK_SUBMIT_ARGS" == "--conf spark.eventLog.enabled=true --conf spark.eventLog.dir=file://$dir "* ]] || exit 8
dir=$(python3 -c 'import sys, urllib.parse; print(urllib.parse.unquote(sys.argv[1]))' "$dir")
cp "$2$STOKER_BENCH_ITERATION/events.jsonl.zst" "$dir/local-$1-$STOKER_BENCH_ITERATION.zst"
JOB
chmod +x "$tmp/job.sh"
bench() { TMPDIR="$tmp/with blank" exits "$1" bench-job "${@:2}"; }
mkdir -p "$tmp/with blank"
job=("$tmp/job.sh" "{size}" "$PWD/$pipeline/run")
bench_runs() {
  SPARK_SUBMIT_OPTS=-Duser=x PYSPARK_SUBMIT_ARGS="--conf a=b pyspark-shell" bench 0 --sizes 1e2,200 --iterations 2 --format json -- "${job[@]}" &&
    [ -z "$(ls "$tmp/with blank")" ] && python3 - "$tmp/out" <<'PYTHON'
import json, sys
(pipeline,) = json.load(open(sys.argv[1]))["pipelines"]
assert [(g["asked"], g["size"], g["iterations"]) for g in pipeline["groups"]] == [("1e2", 100, 2), ("200", 200, 2)], pipeline
assert pipeline["groups"][0]["duration_s"] == pipeline["groups"][1]["duration_s"]
assert pipeline["groups"][1]["performance_ratio"] == 1 and pipeline["groups"][0]["is_baseline"]
PYTHON
}
bench_fails() { # told, and in no average
  bench 1 --sizes 100,13,14 --iterations 1 -- "${job[@]}" && says "### Data size: size 100, 1 run" && says "## Commands that failed" &&
    says "| 13 | 1 | ended with exit code 3 |" && says "| 14 | 1 | it ended well but wrote no event log" &&
    complains "size 13, iteration 1: ended with exit code 3" && complains "  | no luck today" && complains "event logs and outputs are in $tmp/with blank/stoker-bench-" &&
    ! grep -q "size 13, 1 run" "$tmp/out"
}
bench_late() { bench 1 --sizes 15 -n 1 --timeout 300ms -- "${job[@]}" && says "| 15 | 1 | took longer than --timeout |"; }
bench_keeps() { bench 0 --sizes 5 -n 2 --keep "$tmp/kept" -- "${job[@]}" && [ -s "$tmp/kept/size-1-iteration-2/eventlog/local-5-2.zst" ] &&
  grep -q "working on 5, turn 1" "$tmp/kept/size-1-iteration-1/output.txt"; }
bench_nobody() { bench 1 --sizes 5 -n 1 -- "$tmp/no-such-program" && complains "no-such-program: No such file" && says "exit code 127"; }
bench_words() {
  exits 64 bench-job -- true && complains "--sizes wants" && exits 64 bench-job --sizes 1,,2 -- true && exits 64 bench-job --sizes 1 && complains "which command?" &&
    exits 64 bench-job --sizes 1 --iterations 0 -- true && complains "--iterations wants" && exits 64 bench-job --sizes 1 --timeout 0 -- true
}
bench_stopped() { # a signal ends the job and all it started, and what there is is told
  local pid i
  TMPDIR=$tmp/"with blank" "$binary" bench-job --sizes 100,15 -n 1 -- "${job[@]}" >"$tmp/out" 2>"$tmp/err" &
  pid=$!
  for i in {1..100}; do ls "$tmp/with blank"/*/size-2-iteration-1/output.txt >/dev/null 2>&1 && break; sleep 0.1; done
  kill -TERM $pid; wait $pid
  [ $? -eq 1 ] && says "### Data size: size 100, 1 run" && complains "size 15, iteration 1: was stopped" && ! grep -qa "${tmp##*/}/job.s[h]" /proc/[0-9]*/cmdline 2>/dev/null
}
bench_submits() { # spark-submit itself is told by --conf, before its own words
  printf '#!/bin/bash\necho "$@"\n' >"$tmp/spark-submit" && chmod +x "$tmp/spark-submit" && rm -rf "$tmp/kept"
  bench 1 --sizes 7 -n 1 --keep "$tmp/kept" -- "$tmp/spark-submit" --master local job.py {size}{size} &&
    [ "$(cat "$tmp/kept/size-1-iteration-1/output.txt")" = \
      "--conf spark.eventLog.enabled=true --conf spark.eventLog.dir=file://$tmp/kept/size-1-iteration-1/eventlog --master local job.py 77" ]
}
for check in runs fails late keeps nobody words stopped submits; do ok "bench-job: $check" bench_$check; rm -rf "$tmp/with blank"/* "$tmp/kept"; done

# --- ship: what the line says, and what is waited for
ship_lines() {
  exits 64 ship && complains "name a folder of event logs" && exits 64 ship --since soon "$tmp" && complains "--since must be" &&
    exits 64 ship --timeout 0 "$tmp" && complains "--timeout must be" && exits 64 ship "$tmp" "$tmp/./" && complains "is named twice" &&
    exits 1 ship "$tmp/none" && complains "$tmp/none: No such file or directory"
}
ok "ship: what its line may not say" ship_lines
ship_nobody() { exits 1 ship -b 127.0.0.1:1 --timeout 1s "$tmp" && empty "$tmp/out" && complains "127.0.0.1:1" && complains "0 events committed"; }
ok "ship: a broker that is away is exit 1 with the reason" ship_nobody
logs_twice() { exits 78 check --set input.event_logs=/logs,/logs/ && complains "input.event_logs: /logs is named twice"; }
ok "input.event_logs: a folder named twice" logs_twice

# --- colour: none unless it is asked for; the terminal is one made by script
analyze() { # WORDS...: on a terminal
  TERM=xterm script -qec "$(printf '%q ' "$binary" analyze "$@" "$log")" /dev/null </dev/null >"$tmp/out" 2>&1
}
on_terminal() { analyze && colored; }
no_color() { NO_COLOR=1 analyze && ! colored; }
never() { analyze --color=never && ! colored; }
piped() { exits 0 analyze "$log" && ! colored; }
always() { exits 0 analyze --color=always "$log" && colored; }
ok "colour on a terminal" on_terminal
ok "no colour with NO_COLOR" no_color
ok "no colour with --color=never" never
ok "no colour into a pipe" piped
ok "colour with --color=always" always

# --- where logs come from
plain() { zstd -dcq "$log"; }
same() { # DESCRIPTION of the input is the caller's: the judgement must be that of the log itself
  plain | "$binary" analyze --format json - 2>"$tmp/err" >"$tmp/want" && [ -s "$tmp/want" ] &&
    cmp "$tmp/want" "$tmp/out" && empty "$tmp/err"
}
marked() { # a byte order mark before the first line must not cost it, packed or not
  { printf '\xef\xbb\xbf'; plain; } >"$tmp/marked.json"
  "$binary" analyze --format json - <"$tmp/marked.json" >"$tmp/out" 2>"$tmp/err" && same &&
    gzip -c "$tmp/marked.json" | "$binary" analyze --format json - >"$tmp/out" 2>"$tmp/err" && same
}
substituted() { "$binary" analyze --format json <(plain) >"$tmp/out" 2>"$tmp/err"; same; }
utf16() { plain | iconv -f UTF-8 -t UTF-16 >"$tmp/utf16.json" && exits 1 analyze "$tmp/utf16.json" && complains "UTF-16"; }
nobody_writes() {
  rm -f "$tmp/fifo" && mkfifo "$tmp/fifo" && exits 1 analyze "$tmp/fifo" && complains "nobody writes to it"
}
written_late() {
  (plain >"$tmp/fifo") & # opens it as soon as somebody reads
  "$binary" analyze --format json "$tmp/fifo" >"$tmp/out" 2>"$tmp/err"
  wait $! && same
}
once() { # every refusal names its place once
  local of
  printf 'rubbish' >"$tmp/bad.zstd" && mkdir -p "$tmp/nothing" "$tmp/rolled" && printf 'x' >"$tmp/rolled/events_2_app-1-2.zst"
  for of in "$tmp/none" "$tmp/bad.zstd" "$tmp/nothing" "$tmp/rolled" "$tmp/fifo" "$tmp/utf16.json" /dev/null; do
    exits 1 analyze "$of" && complains "stoker analyze: $of" || return 1
    ! grep -qF "$of: $of" "$tmp/err" && ! grep -qE '(/[^ :]+): \1' "$tmp/err" || { cat "$tmp/err"; return 1; }
  done
}
ok "analyze: a byte order mark" marked
ok "analyze: a process's output" substituted
ok "analyze: UTF-16 is told" utf16
ok "analyze: a pipe that nobody writes to" nobody_writes
ok "analyze: a pipe that is written later" written_late
ok "analyze: a refusal names its place once" once

# --- completion
"$binary" completion bash >"$tmp/stoker.bash"
complete_words() { # WORDS...: what bash would offer for the last one
  bash --norc -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _stoker; printf "%s\n" "${COMPREPLY[@]}"' \
    bash "$tmp/stoker.bash" "$@"
}
bash_loads() { bash --norc -euc 'source "$1"; complete -p stoker' bash "$tmp/stoker.bash"; }
bash_commands() { [ "$(complete_words stoker an)" = analyze ]; }
bash_options() { [ "$(complete_words stoker check --con | sort | tr '\n' ' ')" = "--config --connect " ]; }
bash_all() { complete_words stoker '' >"$tmp/words" && for c in $commands; do grep -qx "$c" "$tmp/words" || return 1; done; }
ok "bash completion loads" bash_loads
ok "bash completion: a command" bash_commands
ok "bash completion: options" bash_options
ok "bash completion: every command" bash_all
# What it uses of zsh, bash can parse too: a quote left open shows.
zsh_parses() { "$binary" completion zsh >"$tmp/_stoker" && bash -n "$tmp/_stoker"; }
ok "zsh completion parses" zsh_parses

# --- man page and committed pages
"$binary" man >"$tmp/stoker.1"
ok "man page passes mandoc's lint" mandoc -Tlint "$tmp/stoker.1"
man_names() { mandoc -Tascii "$tmp/stoker.1" | sed 's/.\x08//g' >"$tmp/man.txt"; for c in $commands; do grep -q "stoker $c" "$tmp/man.txt" || return 1; done; }
ok "man page names every command" man_names
ok "the pages can be printed" deploy/docs.sh "$binary" "$tmp/pages"
for page in docs/configuration.md docs/rules.md config/stoker.yaml docs/stoker.1 docs/metrics.md docs/state.md deploy/spark-listener/src/main/resources/io/stoker/spark/events.txt docs/completion/stoker.bash docs/completion/_stoker; do
  ok "$page is what the program prints (make docs)" diff "$page" "$tmp/pages/$page"
done

ok "what the pages tell to type and set is there" python3 tests/commands/docs.py "$binary"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
