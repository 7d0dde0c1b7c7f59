// Package kinds names the Go package whose kinds controller-gen writes down as CRDs; see tests/deploy/deps.sh.
package kinds

import _ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
