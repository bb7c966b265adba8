import type { KubeObject } from '../../src/core/istio/resources.ts';
import { type IstioCluster, pathOf } from './istio-cluster.ts';
import type { ApiAnswer } from './kubernetes-api.ts';

/** A rule of a Role, in one line: which verbs on which resources of which group, and, if need be, of which names. */
export interface Right {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly names?: readonly string[];
}

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const MERGE = { 'content-type': 'application/merge-patch+json' };

/** Makes a namespace. */
export async function makeNamespace(cluster: IstioCluster, name: string): Promise<void> {
  await created(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

/** The objects in another namespace than `default`, and their hosts. */
export function movedTo(namespace: string, objects: readonly KubeObject[]): readonly KubeObject[] {
  const text = JSON.stringify(objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace } })));
  return JSON.parse(text.replaceAll('.default.svc.', `.${namespace}.svc.`)) as readonly KubeObject[];
}

/** Lets a user do these things in one namespace. */
export async function grant(cluster: IstioCluster, user: string, namespace: string, rights: readonly Right[]): Promise<void> {
  const metadata = { name: user, namespace };
  const rules = rights.map(({ group, resources, verbs, names }) => ({
    apiGroups: [group],
    resources,
    verbs,
    ...(names === undefined ? {} : { resourceNames: names }),
  }));
  const path = `${RBAC}/namespaces/${namespace}`;
  await created(cluster, `${path}/roles`, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, ...{ rules } });
  const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user };
  const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, ...{ subjects, roleRef } };
  await created(cluster, `${path}/rolebindings`, binding);
}

/** Creates an object as cluster-admin. */
export async function created(cluster: IstioCluster, path: string, object: object): Promise<void> {
  const { status, body } = await cluster.send('POST', path, object);
  if (status !== 201) throw new Error(`${path}: ${body.message}`);
}

/** Asks the API as somebody: `kubectl --as`. */
export class Tenant {
  readonly name: string;
  readonly #cluster: IstioCluster;
  readonly #namespace: string;

  constructor(cluster: IstioCluster, name: string, namespace: string) {
    this.name = name;
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  create(object: KubeObject): Promise<ApiAnswer> {
    return this.#send('POST', this.#path(object.kind), object);
  }

  /** A merge patch of a release, or of its status. */
  patch(name: string, body: object, subresource: '' | '/status' = ''): Promise<ApiAnswer> {
    return this.#send('PATCH', `${this.#path('CanaryRelease')}/${name}${subresource}`, body, MERGE);
  }

  ask(name: string, action: string): Promise<ApiAnswer> {
    const request = JSON.stringify({ id: `${this.name}-${action}`, action, by: this.name });
    return this.patch(name, { metadata: { annotations: { 'perch.dev/request': request } } });
  }

  /** One release, or all of the namespace at once. */
  delete(name?: string): Promise<ApiAnswer> {
    return this.#send('DELETE', `${this.#path('CanaryRelease')}${name === undefined ? '' : `/${name}`}`);
  }

  #path(kind: string): string {
    return pathOf(kind, this.#namespace);
  }

  #send(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
    return this.#cluster.send(method, path, body, { ...headers, 'impersonate-user': this.name });
  }
}
