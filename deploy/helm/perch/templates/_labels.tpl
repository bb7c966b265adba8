{{/* What Helm's own conventions ask of every object: https://helm.sh/docs/chart_best_practices/labels/ */}}
{{- define "perch.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
