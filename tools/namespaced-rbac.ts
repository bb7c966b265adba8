import { readFileSync } from 'node:fs';
import { type Document, isMap, isSeq, parseAllDocuments, type YAMLMap, type YAMLSeq } from 'yaml';
import { ROOT } from './repository.ts';

const NAME = 'perch-controller';
const HOME = 'perch-system';
/** Kinds of the whole cluster, which a Role of one namespace cannot give a right to. */
const CLUSTER_GROUPS: readonly string[] = [
  'apiextensions.k8s.io',
  'admissionregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
];
/** A controller reads no releases, nor what happened to them, where it runs none. */
const UNREAD_GROUPS: readonly string[] = ['perch.dev', 'events.k8s.io'];
/** Nor what it keeps of the bases that it wove there. */
const UNREAD_RESOURCES: readonly string[] = ['controllerrevisions'];

/** deploy/namespaced/watched/rbac.yaml: what the controller may do in a namespace whose releases it runs. */
export function watchedNamespaceRbac(): string {
  return namespaceRbac(
    `${NAME}-watches`,
    '# What `perch controller --watch-namespace` may do in each of the namespaces, the same as deploy/rbac.yaml everywhere.',
    (rule) => rule,
  );
}

/** deploy/namespaced/read/rbac.yaml: what it may do in one that it only reads. */
export function readNamespaceRbac(): string {
  return namespaceRbac(`${NAME}-reads`, '# What `perch controller --read-namespace` may do in each of the namespaces.', (rule) => {
    const { apiGroups, resources, verbs } = rule.toJSON() as Readonly<Record<'apiGroups' | 'resources' | 'verbs', readonly string[]>>;
    const isUnread = apiGroups.some((group) => UNREAD_GROUPS.includes(group)) || resources.some((each) => UNREAD_RESOURCES.includes(each));
    if (isUnread || !verbs.includes('list')) return undefined;
    const left = rule.get('verbs', true) as unknown as YAMLSeq;
    rule.commentBefore = null;
    left.items = left.items.filter((verb) => ['list', 'watch'].includes(String(verb)));
    return rule;
  });
}

function namespaceRbac(name: string, head: string, kept: (rule: YAMLMap) => YAMLMap | undefined): string {
  const role = documents().find((document) => document.get('kind') === 'ClusterRole');
  if (role === undefined) throw new Error('deploy/rbac.yaml has no ClusterRole');
  const rules = rulesOf(role);
  // What the first rule is for.
  if (isMap(rules.items[0])) rules.items[0].commentBefore = rules.commentBefore ?? null;
  rules.commentBefore = null;
  rules.items = rules.items.filter((rule) => isMap(rule) && !isOfCluster(rule) && kept(rule) !== undefined);
  role.set('kind', 'Role');
  role.setIn(['metadata', 'name'], name);
  const binding = `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: ${name}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: ${name}
subjects:
- kind: ServiceAccount
  name: ${NAME}
  namespace: ${HOME}
`;
  return file(head, [text(role), binding]);
}

function isOfCluster(rule: YAMLMap): boolean {
  const { apiGroups, resources } = rule.toJSON() as { readonly apiGroups: readonly string[]; readonly resources: readonly string[] };
  return apiGroups.every((group) => CLUSTER_GROUPS.includes(group)) || resources.every((resource) => resource === 'namespaces');
}

function documents(): readonly Document[] {
  return parseAllDocuments(readFileSync(`${ROOT}/deploy/rbac.yaml`, 'utf8')) as Document[];
}

function rulesOf(document: Document): YAMLSeq {
  const rules = document.get('rules', true);
  if (!isSeq(rules)) throw new Error('deploy/rbac.yaml: a role without rules');
  return rules;
}

/** In the layout of deploy/. */
function text(document: Document): string {
  return document.toString({ indentSeq: false, lineWidth: 0, flowCollectionPadding: false }).replace(/^(?:#.*\n)+/, '');
}

function file(head: string, parts: readonly string[]): string {
  return `# Made of deploy/rbac.yaml by \`npm run docs\`.\n${head}\n${parts.map((part) => part.replace(/^---\n/, '')).join('---\n')}`;
}
