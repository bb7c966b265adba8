import { type Document, isMap, isScalar, isSeq } from 'yaml';
import { leaseName, type NamespaceScope } from '../../cluster/kube/namespace-scope.ts';
import {
  type ComponentPatch,
  documentsOf,
  type InstallationComponent,
  installationBase,
  installationComponent,
  installationFiles,
  type Operation,
  SHIPPED_NAMESPACE,
} from './installation-files.ts';

/** How an installation differs from the files of deploy/; what is absent is as there. */
export interface InstallationChoices {
  readonly namespace?: string | undefined;
  /** Leaves out the Namespace: it is there already, and its labels are somebody else's. */
  readonly existingNamespace?: boolean | undefined;
  readonly image?: string | undefined;
  readonly replicas?: number | undefined;
  /** With the webhook of deploy/webhook. */
  readonly webhook?: boolean | undefined;
  /** With Roles in these namespaces in place of the ClusterRole. */
  readonly scope?: NamespaceScope | undefined;
}

/** Everything that `kubectl apply -f -` needs to run the controller in a cluster, as one YAML stream with the files' comments. */
export function installationManifests(choices: InstallationChoices = {}): string {
  const components = [
    ...(choices.webhook === true ? [installationComponent('webhook')] : []),
    ...(choices.scope === undefined ? [] : [installationComponent('namespaced'), namingOf(choices.scope)]),
  ];
  const patches = components.flatMap((component) => component.patches);
  const documents = [...installationFiles(), ...components.flatMap(({ files }) => files)].flatMap(documentsOf);
  const wanted = documents.filter(
    (document) =>
      !(choices.existingNamespace === true && document.get('kind') === 'Namespace') &&
      !patches.some(({ target, change }) => change === 'delete' && isTarget(document, target)),
  );
  for (const document of wanted) {
    for (const { target, change } of patches) if (change !== 'delete' && isTarget(document, target)) patch(document, change);
  }
  for (const document of wanted) adapt(document, choices);
  return [...wanted, ...namespaceRoles(choices)].map(textOf).join('---\n');
}

/** What an overlay has to say itself: which namespaces they are (examples/kustomize/namespaced). */
function namingOf(scope: NamespaceScope): InstallationComponent {
  const { watched, read } = scope;
  const options = [`--watch-namespace=${watched.join(',')}`, ...(read.length === 0 ? [] : [`--read-namespace=${read.join(',')}`])];
  const argument = '/spec/template/spec/containers/0/args/-';
  const namespaceSelector = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: watched }] };
  return {
    files: [],
    patches: [
      { target: { kind: 'Deployment', name: 'perch-controller' }, change: options.map((value) => ({ op: 'add', path: argument, value })) },
      {
        target: { kind: 'Role', name: 'perch-controller' },
        change: [{ op: 'add', path: '/rules/1/resourceNames', value: [leaseName(scope)] }],
      },
      // What others apply elsewhere it has nothing to know of.
      {
        target: { kind: 'MutatingWebhookConfiguration', name: 'perch' },
        change: [{ op: 'add', path: '/webhooks/0/namespaceSelector', value: namespaceSelector }],
      },
    ],
  };
}

function namespaceRoles(choices: InstallationChoices): readonly Document[] {
  const inside = (base: string, namespaces: readonly string[] = []) =>
    [...new Set(namespaces)].flatMap((namespace) =>
      installationBase(base)
        .flatMap(documentsOf)
        .map((document) => {
          adapt(document, choices);
          document.setIn(['metadata', 'namespace'], namespace);
          return document;
        }),
    );
  return [...inside('namespaced/watched', choices.scope?.watched), ...inside('namespaced/read', choices.scope?.read)];
}

/** Without the marker of its start, which some have in their file. */
function textOf(document: Document): string {
  return document.toString({ lineWidth: 0, indentSeq: false, flowCollectionPadding: false }).replace(/^---\n/, '');
}

function isTarget(document: Document, { kind, name }: ComponentPatch['target']): boolean {
  return document.get('kind') === kind && document.getIn(['metadata', 'name']) === name;
}

/** The operations of RFC 6902 that a component has. */
function patch(document: Document, operations: readonly Operation[]): void {
  for (const operation of operations) {
    const place = operation.path
      .split('/')
      .slice(1)
      .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    if (operation.op === 'remove') document.deleteIn(place);
    else if (place.at(-1) === '-') document.addIn(place.slice(0, -1), document.createNode(operation.value));
    else document.setIn(place, document.createNode(operation.value));
  }
}

function adapt(document: Document, { namespace, image, replicas }: InstallationChoices): void {
  const kind = document.get('kind');
  if (namespace !== undefined) {
    if (kind === 'Namespace') document.setIn(['metadata', 'name'], namespace);
    replaceNamespaces(document.contents, namespace);
  }
  if (kind !== 'Deployment') return;
  if (replicas !== undefined) document.setIn(['spec', 'replicas'], replicas);
  if (image !== undefined) document.setIn(['spec', 'template', 'spec', 'containers', 0, 'image'], image);
}

/** Wherever an object names the namespace of the files: its own, those of what it refers to, and `namespace/name`. */
function replaceNamespaces(node: unknown, namespace: string): void {
  if (isScalar(node) && typeof node.value === 'string' && node.value.startsWith(`${SHIPPED_NAMESPACE}/`)) {
    node.value = `${namespace}${node.value.slice(SHIPPED_NAMESPACE.length)}`;
  }
  if (isSeq(node)) for (const item of node.items) replaceNamespaces(item, namespace);
  if (!isMap(node)) return;
  if (node.get('namespace') === SHIPPED_NAMESPACE) node.set('namespace', namespace);
  for (const { value } of node.items) replaceNamespaces(value, namespace);
}
