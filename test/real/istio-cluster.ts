import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { KubernetesParts } from '../requirements.ts';
import { type ApiOptions, type KubernetesApi, startKubernetesApi } from './kubernetes-api.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** A real API with Istio's kinds and ours, and the roles of deploy/. */
export interface IstioCluster extends KubernetesApi {
  /** As `kubectl apply --server-side --field-manager=owner --force-conflicts`, strict. */
  apply(...objects: readonly KubeObject[]): Promise<void>;
  /** Of kinds whose plural has an s, as `kubectl create`. */
  create(...objects: readonly KubeObject[]): Promise<void>;
  /** In the namespace `default` where none is given. */
  get(ref: Pick<KubeObject, 'kind'> & { readonly name: string; readonly namespace?: string }): Promise<KubeObject | undefined>;
  /** Adds the kinds of Gateway API. */
  addGatewayApi(): Promise<void>;
}

/** Where objects of a kind are. A Gateway is Istio’s, unless `group` says otherwise. */
export function pathOf(kind: string, namespace = 'default', group = GROUPS[kind] ?? 'networking.istio.io/v1'): string {
  const plural = kind === 'ServiceEntry' ? 'serviceentries' : `${kind.toLowerCase()}s`;
  return `/apis/${group}/namespaces/${namespace}/${plural}`;
}

const GROUPS: Readonly<Record<string, string>> = { CanaryRelease: 'perch.dev/v1alpha1', HTTPRoute: 'gateway.networking.k8s.io/v1' };

/** All objects of YAML files. */
export function objectsOf(...paths: readonly string[]): readonly KubeObject[] {
  return paths.flatMap((path) => parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS() as KubeObject));
}

async function send(api: KubernetesApi, path: string, object: KubeObject): Promise<void> {
  const { status, body } = await api.send('POST', path, object);
  if (status !== 201) throw new Error(`${object.kind} ${object.metadata.name}: ${body.message}`);
}

/** Creates an object of a kind whose plural has an s. */
async function create(api: KubernetesApi, object: KubeObject): Promise<void> {
  const { namespace } = object.metadata;
  const inside = namespace === undefined ? '' : `/namespaces/${namespace}`;
  const group = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
  await send(api, `${group}${inside}/${object.kind.toLowerCase()}s`, object);
}

/** Starts it, and waits until it serves all kinds. */
export async function startIstioCluster(parts: KubernetesParts, options: ApiOptions = {}): Promise<IstioCluster> {
  const api = await startKubernetesApi(parts, options);
  try {
    const crd = new URL('../../deploy/crd.yaml', import.meta.url).pathname;
    for (const definition of objectsOf(parts.istioCrds, crd)) {
      await send(api, DEFINITIONS, definition);
    }
    for (const name of ['istio-system', 'perch-system']) {
      await send(api, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
    for (const object of objectsOf(new URL('../../deploy/rbac.yaml', import.meta.url).pathname)) {
      await create(api, object);
    }
    for (const kind of ['CanaryRelease', 'VirtualService', 'Gateway', 'DestinationRule', 'ServiceEntry']) {
      while ((await api.send('GET', pathOf(kind))).status !== 200) await sleep(100);
    }
  } catch (error) {
    await api.stop();
    throw error;
  }
  return {
    ...api,
    async create(...objects) {
      for (const object of objects) await create(api, object);
    },
    async apply(...objects) {
      for (const object of objects) {
        const path = `${pathOf(object.kind, object.metadata.namespace, object.apiVersion)}/${object.metadata.name}?fieldManager=owner&force=true&fieldValidation=Strict`;
        const { status, body } = await api.send('PATCH', path, object, { 'content-type': 'application/apply-patch+yaml' });
        if (status >= 400) throw new Error(`${object.kind} ${object.metadata.name}: ${body.message}`);
      }
    },
    async addGatewayApi() {
      for (const definition of objectsOf(parts.gatewayApiCrds)) await send(api, DEFINITIONS, definition);
      while ((await api.send('GET', pathOf('HTTPRoute'))).status !== 200) await sleep(100);
    },
    async get({ kind, name, namespace }) {
      const { status, body } = await api.send('GET', `${pathOf(kind, namespace)}/${name}`);
      return status === 200 ? (body as unknown as KubeObject) : undefined;
    },
  };
}
