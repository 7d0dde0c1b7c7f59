{{/* Names and what is worked out of the values. Whatever the settings say is read here, so that no port, topic or group is
     said twice. */}}

{{- define "stoker.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | trunc 45 | trimSuffix "-") .Chart.Name -}}
{{- end -}}
{{- end -}}

{{- define "stoker.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "stoker.labels" -}}
{{ include "stoker.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "stoker.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "stoker.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "stoker.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The port of http.listen, which probes and Prometheus ask. */}}
{{- define "stoker.port" -}}
{{- $listen := dig "http" "listen" "" .Values.config | toString -}}
{{- $port := regexFind "[0-9]+$" $listen -}}
{{- if or (not $port) (regexMatch "^(127\\.|localhost|\\[::1\\])" $listen) -}}
{{- fail (printf "config.http.listen is %q: probes and Prometheus need an address of the pod, such as 0.0.0.0:9571" $listen) -}}
{{- end -}}
{{- $port -}}
{{- end -}}

{{/* Settings given as values that are secrets: a list of them, YAML. The same words as the agent hides by. */}}
{{- define "stoker.plainSecrets" -}}
{{- $found := list -}}
{{- range $section, $settings := .Values.config -}}
{{- if kindIs "map" $settings -}}
{{- range $name, $value := $settings -}}
{{- if kindIs "map" $value -}}
{{- range $property, $_ := $value -}}
{{- if and (eq $section "kafka") (regexMatch "(?i)(password|passphrase|secret|token|jaas|\\.pem$|oauthbearer\\.config$|extensions$)" $property) (not (regexMatch "(_file$|token\\.endpoint|\\.file$)" $property)) -}}
{{- $found = append $found (printf "%s.%s.%s" $section $name $property) -}}
{{- end -}}
{{- end -}}
{{- else if and (regexMatch "(password|secret|token|_key$)" $name) (not (hasSuffix "_file" $name)) $value (not (eq $section "input")) -}}
{{- $found = append $found (printf "%s.%s" $section $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- join ", " $found -}}
{{- end -}}

{{/* The agent's file: the settings given, where its secrets lie, the names of the service. */}}
{{- define "stoker.config" -}}
{{- with include "stoker.plainSecrets" . -}}
{{- fail (printf "config holds secrets: %s. Name where they are under `secrets` instead" .) -}}
{{- end -}}
{{- if dig "agent" "instance" "" .Values.config -}}
{{- fail "config.agent.instance is one name for all: each pod has its own, leave it out" -}}
{{- end -}}
{{- if not (dig "kafka" "brokers" "" .Values.config) -}}
{{- fail "config.kafka.brokers: the bootstrap brokers, host:port separated by commas" -}}
{{- end -}}
{{- $config := deepCopy .Values.config -}}
{{- range .Values.secrets -}}
{{- if ne (.as | default "file") "environment" -}}
{{- $path := printf "/run/stoker/secrets/%s" .setting -}}
{{- $parts := splitn "." 3 .setting -}}
{{- $section := get $config $parts._0 | default dict -}}
{{- if eq $parts._0 "kafka" -}}
{{- $properties := get $section $parts._1 | default dict -}}
{{- $_ := set $properties (printf "%s_file" $parts._2) $path -}}
{{- $_ := set $section $parts._1 $properties -}}
{{- else -}}
{{- $_ := set $section (printf "%s_file" $parts._1) $path -}}
{{- end -}}
{{- $_ := set $config $parts._0 $section -}}
{{- end -}}
{{- end -}}
{{- if not (hasKey $config.http "hosts") -}}
{{- $name := include "stoker.fullname" . -}}
{{- $in := printf "%s.%s" $name .Release.Namespace -}}
{{- $all := printf "%s.svc.%s" $in .Values.clusterDomain -}}
{{- $_ := set $config.http "hosts" (list $name $in (printf "%s.svc" $in) $all (printf "*.%s" $all)) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* The variable of a setting: dots of a property of librdkafka are _, others __. */}}
{{- define "stoker.variable" -}}
{{- if hasPrefix "kafka." . -}}
{{- $parts := splitn "." 3 . -}}
{{- printf "STOKER_KAFKA__%s__%s" $parts._1 ($parts._2 | replace "." "_") | upper -}}
{{- else -}}
{{- printf "STOKER_%s" (. | replace "." "__") | upper -}}
{{- end -}}
{{- end -}}

{{/* Bytes of a size of the agent: 512m, 1g, 1048576k, bytes. */}}
{{- define "stoker.bytes" -}}
{{- $text := kindIs "float64" . | ternary (printf "%d" (kindIs "float64" . | ternary . 0 | int64)) (toString .) -}}
{{- $number := regexFind "^[0-9]+" $text | int64 -}}
{{- $unit := regexFind "[kmgKMG]" $text | lower -}}
{{- if eq $unit "g" -}}{{- mul $number 1073741824 -}}
{{- else if eq $unit "m" -}}{{- mul $number 1048576 -}}
{{- else if eq $unit "k" -}}{{- mul $number 1024 -}}
{{- else -}}{{- $number -}}{{- end -}}
{{- end -}}

{{/* What a process may take: state within a quarter of its bound, 256 MiB of a backlog for each worker, clients and caches. */}}
{{- define "stoker.resources" -}}
{{- $resources := deepCopy .Values.resources -}}
{{- $limits := $resources.limits | default dict -}}
{{- if not (hasKey $limits "memory") -}}
{{- $state := div (include "stoker.bytes" (dig "limits" "memory" "512m" .Values.config) | int64) 1048576 -}}
{{- $workers := dig "agent" "workers" 1 .Values.config | int64 -}}
{{- $limits = set $limits "memory" (printf "%dMi" (add $state (div (add $state 3) 4) (mul 256 $workers) 128)) -}}
{{- end -}}
{{- $_ := set $resources "limits" $limits -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* The name of a topic, as the agent has it: [values, key below topics]. */}}
{{- define "stoker.topic" -}}
{{- $defaults := dict "events" "spark-events" "runs" "stoker.runs" "bottlenecks" "stoker.bottlenecks" "recommendations" "stoker.recommendations" "windows" "stoker.windows" "dlq" "stoker.dlq" "state_applications" "stoker.state.applications" "state_pipelines" "stoker.state.pipelines" "state_ship" "stoker.state.ship" -}}
{{- $id := index . 1 -}}
{{- dig "topics" $id (index $defaults $id) (index . 0).config -}}
{{- end -}}

{{- define "stoker.group" -}}
{{- dig "agent" "group" "stoker" .Values.config -}}
{{- end -}}

{{/* Ports that the agent goes out to, beside DNS: of brokers and of the URLs of every section that has some. */}}
{{- define "stoker.egressPorts" -}}
{{- $ports := list -}}
{{- range splitList "," (dig "kafka" "brokers" "localhost:9092" .Values.config) -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" (trim .) | trimPrefix ":" | default "9092" | int) -}}
{{- end -}}
{{- range $section := .Values.config -}}
{{- if kindIs "map" $section -}}
{{- range (get $section "urls" | default list) -}}
{{- $url := urlParse . -}}
{{- $usual := eq $url.scheme "https" | ternary "443" "80" -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default $usual | int) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.networkPolicy.egressPorts -}}
{{- $ports = append $ports (int .) -}}
{{- end -}}
{{- range $ports | uniq | sortAlpha }}
- { port: {{ . }}, protocol: TCP }
{{- end -}}
{{- end -}}
