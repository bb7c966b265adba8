import { setTimeout as sleep } from 'node:timers/promises';
import { deleteRelease } from '../../cluster/kube/delete-release.ts';
import { KUBE_KINDS, objectPath } from '../../cluster/kube/kube-resources.ts';
import { releaseEvents } from '../../cluster/kube/release-events.ts';
import { readRelease } from '../../cluster/read-release.ts';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import { findingsOfRelease } from '../../controller/weaving-findings.ts';
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import type { ReleaseRequest } from '../../core/release/status.ts';
import type { RouteTrialView } from '../../core/view/route-trial-view.ts';
import {
  type HistoryView,
  historyView,
  type ObjectView,
  objectView,
  type ReleaseView,
  releaseView,
} from '../../server/release-resource.ts';
import type { AskedTrial } from '../../server/views/trial-request.ts';
import { NotAllowedError } from '../command-error.ts';
import type { Invocation } from '../invocation.ts';
import type {
  ApplyAnswer,
  ApplyOptions,
  ReadableObjects,
  ReleaseChange,
  ReleaseClient,
  ReleaseFindings,
  RequestAnswer,
} from '../release-client.ts';
import { askRelease } from './ask-release.ts';
import { applyToCluster } from './cluster-apply.ts';
import { type ClusterConnection, FIELD_MANAGER } from './cluster-connection.ts';
import { findStored, listStored, readableStored } from './cluster-reader.ts';
import { controllerStandstill } from './controller-lease.ts';
import { followStored, type StoredChange } from './follow-stored.ts';
import { tryInCluster } from './try-in-cluster.ts';

/** Who shows tables of what changes needs no more than one a second, in ms. */
const CHANGES_MS = 1000;

/** A cluster whose releases `perch controller` moves on, by its apiserver, with the rights of whoever asks. */
export class ClusterClient implements ReleaseClient {
  readonly counts = false;
  readonly invocation: Invocation;
  readonly #connection: ClusterConnection;

  constructor(connection: ClusterConnection, invocation: Invocation) {
    this.#connection = connection;
    this.invocation = invocation;
  }

  async releases(namespace: string | undefined): Promise<readonly ReleaseView[]> {
    return (await listStored(this.#connection, RELEASE, namespace)).map(viewOfRelease);
  }

  async release(namespace: string, name: string): Promise<ReleaseView | undefined> {
    const stored = await findStored(this.#connection, { kind: RELEASE, namespace, name });
    return stored === undefined ? undefined : viewOfRelease(stored);
  }

  async findings(releases: readonly Omit<ObjectRef, 'kind'>[]): Promise<ReleaseFindings> {
    const namespaces = [...new Set(releases.map(({ namespace }) => namespace))];
    const { objects, hidden } = await readableStored(this.#connection, KUBE_KINDS, namespaces);
    // Of a part of the routes weaving would say what is not so.
    if (hidden !== undefined) return { kind: 'unknown', why: hidden };
    const valid = objects.filter(({ ref, base }) => ref.kind !== RELEASE || readRelease(base).release !== undefined);
    const store = { revision: () => 0, list: async () => valid };
    const findings: (readonly Diagnostic[])[] = [];
    for (const { namespace, name } of releases) {
      findings.push((await findingsOfRelease(store, { kind: RELEASE, namespace, name })) ?? []);
    }
    return { kind: 'known', findings };
  }

  async history(namespace: string, name: string, limit: number): Promise<HistoryView | undefined> {
    const events = await releaseEvents((path, query) => this.#connection.list(path, query), namespace, name);
    if (events.length === 0 && (await this.release(namespace, name)) === undefined) return undefined;
    return historyView(events, limit);
  }

  async objects(kind: string, namespace: string | undefined, view: 'served' | 'base'): Promise<readonly ObjectView[]> {
    return (await listStored(this.#connection, kind, namespace)).map((stored) => objectView(stored, view));
  }

  async object(ref: ObjectRef, view: 'served' | 'base'): Promise<ObjectView | undefined> {
    const stored = await findStored(this.#connection, ref);
    return stored === undefined ? undefined : objectView(stored, view);
  }

  async readable(kind: string | undefined, namespaces: readonly string[]): Promise<ReadableObjects> {
    const { objects, hidden } = await readableStored(this.#connection, kind === undefined ? KUBE_KINDS : [kind], namespaces);
    return { objects: objects.map((stored) => objectView(stored, 'base')), ...(hidden === undefined ? {} : { hidden }) };
  }

  async namespaces(): Promise<readonly string[]> {
    return (await this.#connection.list('/api/v1/namespaces')).map(({ metadata }) => metadata.name);
  }

  async apply(objects: readonly KubeObject[], { force = false }: ApplyOptions): Promise<ApplyAnswer> {
    return await applyToCluster(this.#connection, objects, force);
  }

  async remove(ref: ObjectRef): Promise<boolean> {
    return (await this.#connection.find(objectPath(ref), { method: 'DELETE' })) !== undefined;
  }

  async restoreBase(namespace: string, name: string): Promise<boolean> {
    const { client, signal } = this.#connection;
    const ref = { kind: RELEASE, namespace, name };
    return await deleteRelease(client, ref, { restoreBase: true, fieldManager: FIELD_MANAGER, signal }).catch((error: unknown) => {
      throw this.#connection.explain(error);
    });
  }

  async request(namespace: string, name: string, request: ReleaseRequest, waitMs: number): Promise<RequestAnswer | undefined> {
    const asked = await askRelease(this.#connection, { kind: RELEASE, namespace, name }, request, waitMs);
    if (asked === undefined) return undefined;
    if (asked.kind === 'done') return { id: request.id, state: 'done', message: asked.message };
    const pending = { id: request.id, state: 'pending', message: undefined } as const;
    if (asked.isHandled || waitMs <= 0) return pending;
    const sign = await this.standstill();
    const why = `no controller has taken it up${sign === undefined ? '' : ` (${sign})`}: is perch controller running?`;
    return { ...pending, note: `${why} The request stands until one does` };
  }

  async *follow(namespace: string | undefined, signal: AbortSignal): AsyncGenerator<ReleaseChange> {
    for await (const changes of followStored(this.#connection, RELEASE, namespace, signal)) yield* changes.map(viewOfChange);
  }

  async *changes(kind: string, namespace: string | undefined, signal: AbortSignal): AsyncGenerator<void> {
    for await (const _changes of followStored(this.#connection, kind, namespace, signal)) {
      yield;
      await sleep(CHANGES_MS, undefined, { signal });
    }
  }

  async tryRequest(asked: AskedTrial, namespaces: readonly string[]): Promise<RouteTrialView> {
    return await tryInCluster(this.#connection, asked, namespaces);
  }

  async standstill(): Promise<string | undefined> {
    try {
      return await controllerStandstill(this.#connection);
    } catch (error) {
      // Most may not read it, and need not.
      if (error instanceof NotAllowedError) return undefined;
      throw error;
    }
  }
}

function viewOfChange(change: StoredChange): ReleaseChange {
  switch (change.kind) {
    case 'all':
      return { kind: 'all', releases: change.objects.map(viewOfRelease) };
    case 'changed':
      return { kind: 'changed', release: viewOfRelease(change.object) };
    case 'deleted':
      return { kind: 'deleted', namespace: change.ref.namespace, name: change.ref.name };
  }
}

/** Nothing is measured of it: that is not to be had in a cluster. */
function viewOfRelease(stored: StoredObject): ReleaseView {
  return releaseView(stored, undefined);
}
