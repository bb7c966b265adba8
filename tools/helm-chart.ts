import { basename } from 'node:path';
import {
  type InstallationFile,
  installationBase,
  installationComponent,
  installationFiles,
  SHIPPED_NAMESPACE,
} from '../src/cli/installation/installation-files.ts';
import { perchVersion } from '../src/cli/perch-version.ts';

const FOLDER = 'deploy/helm/perch/templates';

/** What becomes of a part of a file: it has to be there exactly so often. */
type Replacement = readonly [part: string, by: string, times?: number];

const IMAGE =
  '{{ with .Values.image }}{{ if .digest }}{{ printf "%s@%s" .repository .digest | quote }}{{ else }}{{ printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) | quote }}{{ end }}{{ end }}';

/** Lines that are there where the value is, with its YAML below `key`. */
function optional(value: string, key: string, indent: number): string {
  const spaces = ' '.repeat(indent);
  return `${spaces}{{- with .Values.${value} }}\n${spaces}${key}:\n${spaces}  {{- toYaml . | nindent ${indent + 2} }}\n${spaces}{{- end }}\n`;
}

/** The YAML of a mapping, below what stands there anyway. */
function further(value: string, indent: number): string {
  const spaces = ' '.repeat(indent);
  return `${spaces}{{- with .Values.${value} }}\n${spaces}{{- toYaml . | nindent ${indent} }}\n${spaces}{{- end }}\n`;
}

const POD_LABELS = '      labels:\n        app.kubernetes.io/name: perch\n        app.kubernetes.io/component: controller\n';
const PLACE = '      nodeSelector:\n        kubernetes.io/os: linux\n';
const REQUESTS =
  '        resources:\n          requests:\n            cpu: 50m\n            memory: 256Mi\n          limits:\n            memory: 512Mi\n';

const WEBHOOK_ARGS = ', --webhook-port=9443, --webhook-cert=/etc/perch/webhook';
const WEBHOOK_PORT = '        - name: webhook\n          containerPort: 9443\n';
/** The last lines of what is there anyway. */
const ISTIOD_MOUNT = '          mountPath: /var/run/secrets/istiod\n          readOnly: true\n';
const ISTIOD_VOLUME = '              audience: istio-ca\n              path: token\n';
const WEBHOOK_MOUNT = '        - name: webhook\n          mountPath: /etc/perch/webhook\n          readOnly: true\n';
const WEBHOOK_VOLUME = '      - name: webhook\n        secret:\n          secretName: perch-webhook\n';
const WEBHOOK_INGRESS = '  - ports:\n    - port: webhook\n      protocol: TCP\n';

/** What deploy/webhook adds, where it is wanted; with `indent` on lines of its own. */
function whenWebhook(text: string, indent?: number): string {
  if (indent === undefined) return `{{ if .Values.webhook.enabled }}${text}{{ end }}`;
  const spaces = ' '.repeat(indent);
  return `${spaces}{{- if .Values.webhook.enabled }}\n${text}${spaces}{{- end }}\n`;
}

const LEASE_NAME = '  resourceNames: [perch-controller]\n';
/** As leaseName has it (src/cluster/kube/namespace-scope.ts). */
const LEASE_NAMES = `  {{- with .Values.watchNamespaces }}
  {{- $names := . | uniq | sortAlpha | join "." }}
  resourceNames: [perch-controller.{{ gt (len $names) 236 | ternary (sha256sum $names) $names }}]
  {{- else }}
${LEASE_NAME}  {{- end }}
`;
/** What an overlay with deploy/namespaced says itself. */
const NAMESPACE_ARGS = ['watch', 'read']
  .map((what) => `{{ with .Values.${what}Namespaces }}, {{ join "," . | printf "--${what}-namespace=%s" | quote }}{{ end }}`)
  .join('');
const NAMESPACE_SELECTOR = `  {{- with .Values.watchNamespaces }}
  namespaceSelector:
    matchExpressions:
    - key: kubernetes.io/metadata.name
      operator: In
      values:
      {{- toYaml . | nindent 6 }}
  {{- end }}
`;

const INJECT = '    cert-manager.io/inject-ca-from: perch-system/perch-webhook\n';
const WEBHOOK_REPLACEMENTS: readonly Replacement[] = [
  [
    INJECT,
    '    {{- if not .Values.webhook.caBundle }}\n    cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/perch-webhook\n    {{- end }}\n',
  ],
  ['- name: weave.perch.dev\n', `- name: weave.perch.dev\n${NAMESPACE_SELECTOR}`],
  ['  clientConfig:\n', '  clientConfig:\n    {{- with .Values.webhook.caBundle }}\n    caBundle: {{ . }}\n    {{- end }}\n'],
];

/** File by file; a file that is not named here has nothing to choose. */
const REPLACEMENTS: Readonly<Record<string, readonly Replacement[]>> = {
  'crd.yaml': [
    ['  name: canaryreleases.perch.dev\n', '  name: canaryreleases.perch.dev\n  annotations:\n    helm.sh/resource-policy: keep\n'],
  ],
  'rbac.yaml': [[LEASE_NAME, LEASE_NAMES]],
  'controller.yaml': [
    ['  replicas: 2\n', '  replicas: {{ .Values.replicas }}\n'],
    [POD_LABELS, `${POD_LABELS}${further('podLabels', 8)}`],
    ['        prometheus.io/path: /metrics\n', `        prometheus.io/path: /metrics\n${further('podAnnotations', 8)}`],
    ['      enableServiceLinks: false\n', `      enableServiceLinks: false\n${optional('imagePullSecrets', 'imagePullSecrets', 6)}`],
    [
      PLACE,
      `${PLACE}${further('nodeSelector', 8)}${optional('tolerations', 'tolerations', 6)}      {{- with .Values.priorityClassName }}\n      priorityClassName: {{ . }}\n      {{- end }}\n`,
    ],
    [
      `        image: perch:${perchVersion()}\n`,
      `        image: ${IMAGE}\n        {{- with .Values.image.pullPolicy }}\n        imagePullPolicy: {{ . }}\n        {{- end }}\n`,
    ],
    [
      '"--metrics-port=8080"]',
      `"--metrics-port=8080"${whenWebhook(WEBHOOK_ARGS)}${NAMESPACE_ARGS}{{ range .Values.extraArgs }}, {{ . | quote }}{{ end }}]`,
    ],
    ['          containerPort: 8080\n', `          containerPort: 8080\n${whenWebhook(WEBHOOK_PORT, 8)}`],
    [ISTIOD_MOUNT, `${ISTIOD_MOUNT}${whenWebhook(WEBHOOK_MOUNT, 8)}`],
    [ISTIOD_VOLUME, `${ISTIOD_VOLUME}${whenWebhook(WEBHOOK_VOLUME, 6)}`],
    [REQUESTS, '        resources:\n          {{- toYaml .Values.resources | nindent 10 }}\n'],
  ],
  'network-policy.yaml': [['  egress:\n', `${whenWebhook(WEBHOOK_INGRESS, 2)}  egress:\n`]],
  'webhook/webhook.yaml': WEBHOOK_REPLACEMENTS,
};

/** Values without which a file is left out. */
const CONDITIONS: Readonly<Record<string, string>> = {
  'crd.yaml': 'crds.install',
  'admission-policy.yaml': 'admissionPolicy.enabled',
  'pod-disruption-budget.yaml': 'podDisruptionBudget.enabled',
  'network-policy.yaml': 'networkPolicy.enabled',
  'webhook/webhook.yaml': 'webhook.enabled',
};

/** Objects of a file that only one is that runs releases everywhere. */
const EVERYWHERE: ReadonlySet<string> = new Set(['ClusterRole perch-controller', 'ClusterRoleBinding perch-controller']);

/** Files whose objects are there once for each namespace of a value, and what they are called in the chart. */
const PER_NAMESPACE = [
  { folder: 'namespaced/watched', value: 'watchNamespaces', template: 'rbac-watched-namespaces.yaml' },
  { folder: 'namespaced/read', value: 'readNamespaces', template: 'rbac-read-namespaces.yaml' },
] as const;

/** Made by Helm: `--create-namespace`. */
const LEFT_OUT: ReadonlySet<string> = new Set(['namespace.yaml']);

function allFiles() {
  return [...installationFiles(), ...installationComponent('webhook').files];
}

interface Template {
  readonly path: string;
  readonly text: () => string;
}

/** The templates of the Helm chart that come from deploy/: paths, and how their text is made. */
export const HELM_TEMPLATES: readonly Template[] = [
  ...allFiles()
    .filter(({ name }) => !LEFT_OUT.has(name))
    .map(({ name }) => ({ path: `${FOLDER}/${basename(name)}`, text: () => templateOf(name) })),
  ...PER_NAMESPACE.map(({ folder, value, template }) => ({ path: `${FOLDER}/${template}`, text: () => perNamespace(folder, value) })),
];

/** @throws Error where the file has changed, so that a part that is to be replaced is not there. */
function templateOf(name: string): string {
  const { text = '' } = allFiles().find((file) => file.name === name) ?? {};
  let template = plain(name, text);
  for (const [part, by, times = 1] of REPLACEMENTS[name] ?? []) {
    const found = template.split(part);
    if (found.length !== times + 1)
      throw new Error(`deploy/${name} has ${found.length - 1} times ${JSON.stringify(part)}: correct tools/helm-chart.ts`);
    template = found.join(by);
  }
  template = documentsOf(inRelease(template))
    .map((document) => (EVERYWHERE.has(titleOf(document)) ? `{{- if not .Values.watchNamespaces }}\n${document}{{- end }}\n` : document))
    .join('---\n');
  const condition = CONDITIONS[name];
  return `${generated(name)}${condition === undefined ? template : `{{- if .Values.${condition} }}\n${template}{{- end }}\n`}`;
}

/** The objects of a folder of deploy/, in each namespace of a value. */
function perNamespace(folder: string, value: string): string {
  const [{ name, text }, ...others] = installationBase(folder) as readonly [InstallationFile, ...InstallationFile[]];
  if (others.length > 0) throw new Error(`deploy/${folder} has several files: correct tools/helm-chart.ts`);
  const documents = documentsOf(inRelease(plain(name, text))).map(
    (document) => `---\n${document.replace(/^metadata:\n {2}name: .*\n/m, (found) => `${found}  namespace: {{ . | quote }}\n`)}`,
  );
  // In a range the dot is the namespace.
  const inRange = documents.join('').replaceAll('{{ .Release', '{{ $.Release').replaceAll('"perch.labels" .', '"perch.labels" $');
  return `${generated(name)}{{- range .Values.${value} }}\n${inRange}{{- end }}\n`;
}

function plain(name: string, text: string): string {
  if (text.includes('{{')) throw new Error(`deploy/${name} has {{ in it, which Helm would read`);
  return text;
}

function inRelease(text: string): string {
  return text.replaceAll(`namespace: ${SHIPPED_NAMESPACE}\n`, 'namespace: {{ .Release.Namespace }}\n');
}

function documentsOf(text: string): readonly string[] {
  return text.split(/^---\n/m).map(withLabels);
}

/** `ClusterRole perch-controller`. */
function titleOf(document: string): string {
  return `${/^kind: (.*)$/m.exec(document)?.[1]} ${/^ {2}name: (.*)$/m.exec(document)?.[1]}`;
}

function generated(name: string): string {
  return `{{- /* Generated by \`npm run docs\` from deploy/${name}. Do not edit. */}}\n`;
}

/** Helm's labels, among those of the object. */
function withLabels(document: string): string {
  const include = '    {{- include "perch.labels" . | nindent 4 }}\n';
  const [metadata = ''] = /^metadata:\n(?: {2}.*\n)+/m.exec(document) ?? [];
  if (metadata === '') throw new Error('an object without metadata');
  const labelled = metadata.includes('\n  labels:\n')
    ? metadata.replace('\n  labels:\n', `\n  labels:\n${include}`)
    : `${metadata}  labels:\n${include}`;
  return document.replace(metadata, () => labelled);
}
