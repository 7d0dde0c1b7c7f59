{{/* What the agent and the one who makes its topics share: rights, environment, files, resources. [root, secrets that are files] */}}
{{- define "stoker.container" -}}
{{- $root := index . 0 -}}
{{- $files := index . 1 -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
env:
  # A name that lasts and is the pod's alone: static membership and the fencing of a predecessor need it.
  - name: STOKER_AGENT__INSTANCE
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- range $root.Values.secrets }}
  {{- if eq (.as | default "file") "environment" }}
  - name: {{ include "stoker.variable" .setting }}
    valueFrom:
      secretKeyRef:
        name: {{ .secret }}
        key: {{ .key }}
  {{- end }}
  {{- end }}
  {{- with $root.Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
resources:
  {{- include "stoker.resources" $root | nindent 2 }}
volumeMounts:
  - name: config
    mountPath: /etc/stoker
    readOnly: true
  {{- if $files }}
  - name: secrets
    mountPath: /run/stoker/secrets
    readOnly: true
  {{- end }}
  {{- if $root.Values.files }}
  - name: files
    mountPath: /run/stoker/files
    readOnly: true
  {{- end }}
  {{- with $root.Values.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
