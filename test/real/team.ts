import type { KubernetesApi, Person } from './kubernetes-api.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';

/** Binds a ClusterRole to a person, in the namespace `default` only. */
export async function bindRole(api: KubernetesApi, person: Person, role: string): Promise<void> {
  await create(api, `${RBAC}/rolebindings`, {
    metadata: { name: `${role}-${person}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: person }],
  });
}

/** Lets a person write the routes of the namespace `default`, as whoever owns them may. */
export async function letOwnRoutes(api: KubernetesApi, person: Person): Promise<void> {
  const name = `routes-of-${person}`;
  const resources = ['virtualservices', 'destinationrules', 'gateways', 'serviceentries', 'workloadentries'];
  await create(api, `${RBAC}/roles`, {
    metadata: { name },
    rules: [{ apiGroups: ['networking.istio.io'], resources, verbs: ['create', 'patch', 'delete'] }],
  });
  await create(api, `${RBAC}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: person }],
  });
}

async function create(api: KubernetesApi, path: string, body: object): Promise<void> {
  const { status, body: answer } = await api.send('POST', path, body);
  if (status !== 201) throw new Error(`${path}: ${answer.message}`);
}
