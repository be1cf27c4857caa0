{{- define "g9603.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- define "g9603.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "g9603.labels" -}}
{{ include "g9603.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Which setting reads which secret: the setting is also the name of its file. */}}
{{- define "g9603.secretSettings" -}}
kafkaCa: G9603_TLS_CA_FILE
kafkaCertificate: G9603_TLS_CERTIFICATE_FILE
kafkaKey: G9603_TLS_KEY_FILE
kafkaPassword: G9603_SASL_PASSWORD_FILE
kafkaToken: G9603_OAUTH_TOKEN_FILE
webToken: G9603_WEB_TOKEN_FILE
webCertificate: G9603_WEB_TLS_CERTIFICATE_FILE
webKey: G9603_WEB_TLS_KEY_FILE
encryptionKeys: G9603_ENCRYPTION_KEYS_FILE
logHashKey: G9603_LOG_HASH_KEY_FILE
{{- end }}

{{- define "g9603.secretsFolder" -}}/run/secrets/g9603{{- end }}

{{/* A name of the topology file, for this application. */}}
{{- define "g9603.kafkaName" -}}
{{- index . 0 | replace "<topic-prefix>" (index . 1).Values.topicPrefix | replace "<app-id>" (index . 1).Values.appId -}}
{{- end }}

{{/* The same as a name that Kubernetes takes: of Kafka's characters it has only some. */}}
{{- define "g9603.kubernetesName" -}}
{{- regexReplaceAll "[^a-z0-9.]+" (lower .) "-" | trimAll "-." -}}
{{- end }}

{{/* What cannot work is refused here, with a sentence. */}}
{{- define "g9603.check" -}}
{{- $_ := required "kafka.bootstrapServers: say where Kafka is, as host:port." .Values.kafka.bootstrapServers }}
{{- $_ := required "secrets.webToken.name: name the Secret with the token of the pages; values.yaml shows how to make it." .Values.secrets.webToken.name }}
{{- if gt (int .Values.replicas) (int .Values.partitions) }}
{{- fail "replicas: more workers than partitions would be idle." }}
{{- end }}
{{- if and .Values.strimzi.enabled (not .Values.strimzi.cluster) }}
{{- fail "strimzi.cluster: name the Kafka resource that the topics and users belong to." }}
{{- end }}
{{- if and (eq .Values.kafka.securityProtocol "SASL_SSL") (eq .Values.kafka.saslMechanism "SCRAM-SHA-512") (not .Values.secrets.kafkaPassword.name) }}
{{- fail "secrets.kafkaPassword.name: name the Secret with the password for SCRAM-SHA-512." }}
{{- end }}
{{- end }}

{{/* A probe of a page. Health needs no token. */}}
{{- define "g9603.probe" -}}
httpGet: {path: {{ index . 0 }}, port: web, scheme: {{ include "g9603.scheme" (index . 1) | upper }}}
{{- end }}

{{- define "g9603.scheme" -}}
{{ if .Values.secrets.webCertificate.name }}https{{ else }}http{{ end }}
{{- end }}
