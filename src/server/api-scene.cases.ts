import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { runtimeAdmission } from '../cluster/admission.ts';
import { Listeners } from '../cluster/listeners.ts';
import { openSqliteStore } from '../cluster/local/sqlite-store.ts';
import type { ObjectRef, Store } from '../cluster/store.ts';
import type { StoreError } from '../cluster/store-errors.ts';
import type { ReleaseStatus } from '../core/release/status.ts';
import type { TimelineSample } from '../core/view/timeline-view.ts';
import { createApi } from './api.ts';
import type { ApiContext } from './api-context.ts';
import { type ApiListener, listenForApi } from './api-listener.ts';
import { MetricsPage } from './metrics/metrics-page.ts';
import type { Problem } from './problem.ts';
import { StreamSlots } from './stream-slots.ts';

/** Names `RELEASE`. */
export const RELEASE_REF = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' } as const;

/** The VirtualService that `RELEASE` adopts: everything to v1. */
export const ROUTES = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'reviews' },
  spec: { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews', subset: 'v1' } }] }] },
};

/** A release of reviews from v1 to v2, in two steps, the first ended by a person. */
export const RELEASE = {
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'reviews' },
  spec: {
    service: { host: 'reviews', port: 9080 },
    stable: { subset: 'v1' },
    canary: { subset: 'v2' },
    route: { adopt: { virtualService: 'reviews' } },
    steps: [
      { weight: 10, hold: 'manual' },
      { weight: 100, hold: '1m' },
    ],
  },
};

interface RawAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The API on a real port with a real store in memory; its tests play the controller and the gateway. */
export class ApiScene {
  readonly store: Store;
  readonly api: ApiListener;
  /** What the API asks of the runtime; tests put their own answers in. */
  readonly context: { -readonly [Key in keyof ApiContext]: ApiContext[Key] };
  readonly notStored: Listeners<[ObjectRef, StoreError]>;
  readonly samples: Listeners<[ObjectRef, readonly TimelineSample[]]>;
  /** Messages of the API's log of errors. */
  readonly logged: readonly string[];

  private constructor(parts: Pick<ApiScene, 'store' | 'api' | 'context' | 'notStored' | 'samples' | 'logged'>) {
    this.store = parts.store;
    this.api = parts.api;
    this.context = parts.context;
    this.notStored = parts.notStored;
    this.samples = parts.samples;
    this.logged = parts.logged;
  }

  static async open(): Promise<ApiScene> {
    const fail = (error: unknown): never => {
      throw error;
    };
    const store = openSqliteStore({ dataDir: ':memory:', now: Date.now, admission: runtimeAdmission, onListenerError: fail });
    const notStored = new Listeners<[ObjectRef, StoreError]>(fail);
    const samples = new Listeners<[ObjectRef, readonly TimelineSample[]]>(fail);
    const logged: string[] = [];
    const context: ApiContext = {
      store,
      exposure: () => undefined,
      timeline: () => undefined,
      onSamples: (listener) => samples.add(listener),
      onNotStored: (listener) => notStored.add(listener),
      notReady: () => undefined,
      metrics: new MetricsPage(),
      streams: new StreamSlots(3),
      logError: (message) => logged.push(message),
    };
    return new ApiScene({ store, api: await listenForApi(createApi(context), { port: 0 }), context, notStored, samples, logged });
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.store.close();
  }

  get origin(): string {
    return `http://127.0.0.1:${this.api.port}`;
  }

  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    return fetch(`${this.origin}${path}`, { method, headers: { 'content-type': 'application/json', ...headers }, ...sent });
  }

  /** A call without a body, with headers that fetch would not send. */
  raw(method: string, path: string, headers: Record<string, string>): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port: this.api.port, method, path, headers }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, headers: response.headers, body }), reject);
      })
        .on('error', reject)
        .end();
    });
  }

  async applyExample(): Promise<void> {
    expect((await this.send('PUT', '/api/v1/objects', { objects: [ROUTES, RELEASE] })).status).toBe(200);
  }

  /** Plays the controller: writes a status, as of the release as it is now. */
  async writeStatus(status: ReleaseStatus): Promise<void> {
    expect(await this.store.commit(RELEASE_REF, { status }, this.store.revision())).toBe(true);
    this.store.markServed(this.store.revision());
  }
}

/** The problem document of a response, which must be one. */
export async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Problem;
  expect(problem.status).toBe(response.status);
  return problem;
}
