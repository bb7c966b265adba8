import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { IstioCluster } from './istio-cluster.ts';

const NAMESPACE = 'default';
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
const TYPES: Readonly<Record<string, string>> = { PATCH: 'application/merge-patch+json' };

interface Deployment extends KubeObject {
  readonly metadata: KubeObject['metadata'] & {
    readonly generation: number;
    readonly managedFields: readonly { readonly manager: string; readonly subresource?: string }[];
  };
  readonly spec: { readonly replicas: number };
}

/** The versions of one Service, each with a Deployment `NAME-VERSION`, whose pods nobody runs: this says what their controllers would. */
export class Workloads {
  readonly #cluster: IstioCluster;
  readonly #name: string;
  /** Versions with ready pods. */
  readonly #running = new Set<string>();

  constructor(cluster: IstioCluster, name: string) {
    this.#cluster = cluster;
    this.#name = name;
  }

  /** Creates everything; `versions`: how many replicas each has, all of them ready. */
  async create(versions: Readonly<Record<string, number>>): Promise<void> {
    const name = this.#name;
    await this.#send('POST', `/api/v1/namespaces/${NAMESPACE}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    });
    await this.#send('POST', SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [],
    });
    for (const [version, replicas] of Object.entries(versions)) {
      const labels = { app: name, version };
      const containers = [{ name: 'web', image: 'web' }];
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `${name}-${version}`, labels }, spec: { containers } };
      await this.#send('POST', `/api/v1/namespaces/${NAMESPACE}/pods`, pod);
      await this.addDeployment(version, version, replicas);
      await this.rollOut(version);
    }
  }

  /** One more whose pods are those of a version. */
  async addDeployment(suffix: string, version: string, replicas: number): Promise<void> {
    const labels = { app: this.#name, version };
    await this.#send('POST', DEPLOYMENTS, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: `${this.#name}-${suffix}` },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } },
      },
    });
  }

  async removeDeployment(suffix: string): Promise<void> {
    await this.#send('DELETE', `${DEPLOYMENTS}/${this.#name}-${suffix}`);
  }

  async get(version: string): Promise<Deployment> {
    const { body } = await this.#cluster.send('GET', `${DEPLOYMENTS}/${this.#name}-${version}`);
    return body as unknown as Deployment;
  }

  /** How many replicas it is to have. */
  async replicas(version: string): Promise<number> {
    return (await this.get(version)).spec.replicas;
  }

  /** All the replicas that it is to have are there, or gone. */
  async rollOut(version: string): Promise<void> {
    const { metadata, spec } = await this.get(version);
    const { replicas } = spec;
    const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
    const status = { observedGeneration: metadata.generation, ...counts };
    await this.#send('PATCH', `${DEPLOYMENTS}/${this.#name}-${version}/status`, { status });
    if (replicas > 0) this.#running.add(version);
    else this.#running.delete(version);
    const endpoints = [...this.#running].map((each, index) => ({
      addresses: [`10.1.0.${index + 1}`],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', namespace: NAMESPACE, name: `${this.#name}-${each}` },
    }));
    await this.#send('PATCH', `${SLICES}/${this.#name}-1`, { endpoints });
  }

  /** As `kubectl scale` does, or whoever is named. */
  async scale(version: string, replicas: number, manager = 'kubectl'): Promise<void> {
    await this.#send('PATCH', `${DEPLOYMENTS}/${this.#name}-${version}/scale?fieldManager=${manager}`, { spec: { replicas } });
  }

  async #send(method: string, path: string, body?: object): Promise<void> {
    const { status, body: answer } = await this.#cluster.send(method, path, body, { 'content-type': TYPES[method] ?? 'application/json' });
    if (status >= 300) throw new Error(`${method} ${path}: ${answer.message}`);
  }
}
