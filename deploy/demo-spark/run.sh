#!/bin/bash
# run.sh: Stoker with your own eyes: a Kafka, an agent and a PySpark job on this machine's loopback, and the verdicts on the job as
# they come. Called by `make demo-spark`, which builds program and jar first. What it does is what you would type: see docs/connect.md.
# It ends by itself, or with Ctrl-C; nothing runs on, and everything it wrote is in build/demo-spark.
#
#   DEMO_STAY_S   how long the agent's page stays after the job, seconds: 300 on a terminal, else 0
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
kafka=4.3.1 spark=3.5.6
work=$PWD/build/demo-spark stoker=$PWD/build/release/stoker
jar=$(echo "$PWD"/deploy/spark-listener/target/stoker-spark-listener-*.jar)
stay_s=${DEMO_STAY_S:-$([ -t 0 ] && echo 300 || echo 0)}
log=$work/setup.log
children=()

say() { printf '\n%s\n' "$*"; }
fail() { echo "demo-spark: $*" >&2; exit 1; }
finish() { # every child, the youngest first
  trap '' INT TERM
  for ((i = ${#children[@]} - 1; i >= 0; i--)); do
    kill "${children[i]}" 2>/dev/null || true
    wait "${children[i]}" 2>/dev/null || true
  done
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
child() { # LOG COMMAND...: in the background; its output goes to the log
  local to=$1; shift
  "$@" >"$to" 2>&1 </dev/null &
  children+=($!)
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_true() { # SECONDS WHAT LOG COMMAND...
  local till=$((SECONDS + $1)) what=$2 where=$3; shift 3
  until "$@" >/dev/null 2>&1; do
    kill -0 "${children[-1]}" 2>/dev/null && [ $SECONDS -lt $till ] || { tail -15 "$where" >&2; fail "$what did not come up"; }
    sleep 0.3
  done
}

say "1  What it needs: Kafka $kafka and PySpark $spark (the first time some minutes; they stay in build/)"
mkdir -p "$work"
tests/real/deps.sh kafka $kafka
python=build/spark/$spark/bin/python
if ! $python -c 'import pyspark' 2>/dev/null; then
  echo "   fetching PySpark $spark (about 300 MB)"
  { rm -rf build/spark/$spark && python3 -m venv build/spark/$spark && $python -m pip install -q "pyspark==$spark"; } >"$log" 2>&1 ||
    { tail -15 "$log" >&2; fail "PySpark $spark cannot be had"; }
fi

say "2  A Kafka of one node"
broker=127.0.0.1:$(free_port) controller=127.0.0.1:$(free_port) page=127.0.0.1:$(free_port)
rm -rf "$work/kafka"
cat >"$work/kafka.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$controller
listeners=PLAINTEXT://$broker,CONTROLLER://$controller
advertised.listeners=PLAINTEXT://$broker
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$work/kafka
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
PROPERTIES
java -Xmx384m -cp "build/kafka/$kafka/*" kafka.tools.StorageTool format -t c3Rva2VyLWRlbW8tMDAwMQ -c "$work/kafka.properties" >"$log" 2>&1 ||
  { tail -15 "$log" >&2; fail "Kafka cannot be set up"; }
child "$work/kafka.log" java -Xmx384m -cp "build/kafka/$kafka/*" kafka.Kafka "$work/kafka.properties"
cat >"$work/stoker.yaml" <<YAML
kafka: { brokers: "$broker" }
http: { listen: "$page" }
agent: { commit_interval: 200ms }
YAML
until_true 90 Kafka "$work/kafka.log" "$stoker" topics --create -c "$work/stoker.yaml"
echo "   $broker, settings in build/demo-spark/stoker.yaml; its topics, by: stoker topics --create"

say "3  The agent, by: stoker run"
child "$work/agent.log" "$stoker" run -c "$work/stoker.yaml"
until_true 60 "the agent" "$work/agent.log" "$stoker" healthcheck -c "$work/stoker.yaml"
echo "   http://$page/ is its page"

say "4  The job, with the listener: deploy/demo-spark/job.py, by spark-submit. What is found, by: stoker tail"
site=$(echo "$PWD"/build/spark/$spark/lib/python3*/site-packages/pyspark)
mkdir -p "$work/conf"
cat >"$work/conf/spark-defaults.conf" <<PROPERTIES
spark.jars                              $jar
spark.extraListeners                    io.stoker.spark.StokerListener
spark.stoker.kafka.bootstrap.servers    $broker

spark.master                            local[2]
spark.driver.memory                     1g
spark.memory.fraction                   0.1
spark.sql.adaptive.enabled              false
spark.ui.enabled                        false
spark.driver.bindAddress                127.0.0.1
spark.driver.host                       127.0.0.1
spark.local.dir                         $work/spark
PROPERTIES
began=$SECONDS
child "$work/job.log" env SPARK_HOME="$site" SPARK_CONF_DIR="$work/conf" SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON="$PWD/$python" \
  PYSPARK_DRIVER_PYTHON="$PWD/$python" "$site/bin/spark-submit" deploy/demo-spark/job.py
job=${children[-1]}
"$stoker" tail --log-level error -c "$work/stoker.yaml" --topic stoker.bottlenecks,stoker.recommendations > >(
  while IFS= read -r line; do
    kill -0 "$job" 2>/dev/null && when="while it runs" || when="after its end"
    printf '   %3d s, %s\n%s\n' $((SECONDS - began)) "$when" "$(fold -s -w 110 <<<"$line" | sed 's/^/      /')"
  done) &
children+=($!)
wait "$job" || { tail -30 "$work/job.log" >&2; fail "the job failed: see build/demo-spark/job.log"; }
ended=$((SECONDS - began))
sleep 3 # what its last events bring

say "5  The job ended after $ended s. What an agent knows of it now: http://$page/"
"$stoker" doctor -c "$work/stoker.yaml" | sed 's/^/   /'
say "   The same three lines bring in a Spark of your own: docs/connect.md"
if [ "$stay_s" -gt 0 ]; then
  echo "   Everything ends with Ctrl-C, or by itself in $stay_s s."
  sleep "$stay_s" &
  wait $!
fi
