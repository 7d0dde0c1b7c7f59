#!/bin/bash
# render.sh HELM: prints deploy/kubernetes/stoker.yaml, plain manifests for who has no helm: the chart with values.yaml, without what
# only helm needs. tests/deploy compares.
set -euo pipefail
helm=$(command -v "$1") && helm=$(realpath "$helm")
cd "$(dirname "$0")"
echo "# Stoker for namespace stoker, rendered from deploy/helm/stoker by deploy/kubernetes/render.sh. Set image and kafka.brokers, then:"
echo "#   kubectl create namespace stoker && kubectl apply -f stoker.yaml"
"$helm" template stoker ../helm/stoker --namespace stoker --kube-version 1.37.0 -f values.yaml |
  sed -e '/^ *app.kubernetes.io\/managed-by: Helm$/d' -e '/^ *helm.sh\/chart: /d' -e '/^ *annotations:$/{N;/# Other settings/{N;d}}' \
    -e '/^# Source: /d'
