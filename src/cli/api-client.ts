import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectRef } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { ReleaseRequest } from '../core/release/status.ts';
import type { RouteTrialView } from '../core/view/route-trial-view.ts';
import type { Problem } from '../server/problem.ts';
import type { HistoryView, ObjectView, ReleaseView } from '../server/release-resource.ts';
import type { AskedTrial } from '../server/views/trial-request.ts';
import { type ApiCredentials, readTokenFile, trustOnly } from './api-credentials.ts';
import { ApiProblem } from './api-problem.ts';
import { CommandError } from './command-error.ts';
import { connectionFailure, UNTRUSTED } from './connection-failure.ts';
import { PLAIN_INVOCATION } from './invocation.ts';
import type {
  ApplyAnswer,
  ApplyOptions,
  ReadableObjects,
  ReleaseChange,
  ReleaseClient,
  ReleaseFindings,
  RequestAnswer,
} from './release-client.ts';
import { readEvents } from './watching/read-events.ts';

interface CallOptions {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly body?: unknown;
  /** How long the runtime may take on purpose, in ms. */
  readonly waitMs?: number;
}

/** What `fetch` is asked for; headers as a record, for others to be added. */
type CallInit = Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };

type Fields = Readonly<Record<string, unknown>>;
/** Whether an answer has what Perch's answer to this call has: something else may listen there. */
type IsOurs = (answer: Fields) => boolean;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isObject = (value: unknown): boolean =>
  isFields(value) &&
  typeof value['kind'] === 'string' &&
  isFields(value['spec']) &&
  isFields(value['metadata']) &&
  typeof value['metadata']['name'] === 'string' &&
  typeof value['metadata']['namespace'] === 'string';
const hasItems: IsOurs = ({ items }) => Array.isArray(items) && items.every(isFields);
const hasObjects: IsOurs = ({ items }) => Array.isArray(items) && items.every(isObject);
const hasOutcomes: IsOurs = ({ outcomes, warnings }) => Array.isArray(outcomes) && Array.isArray(warnings);
const isTrial: IsOurs = ({ trail, outcome, sentence, notes }) =>
  Array.isArray(trail) && trail.every(isFields) && isFields(outcome) && typeof sentence === 'string' && Array.isArray(notes);
const isProblem: IsOurs = ({ code, detail }) => typeof code === 'string' && code.startsWith('PERCH') && typeof detail === 'string';

/** A runtime that has not answered for so long, in ms, is given up; its longest answer takes a fraction of it. */
const PATIENCE_MS = 60_000;
/** How often what may have changed is looked at, in ms. */
const CHANGES_MS = 1000;
/** A request's outcome is waited for in calls of at most this, in ms: `fetch` gives one up whose answer does not begin within 300 s. */
const LONGEST_WAIT_MS = 60_000;

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** The embedded runtime, by its HTTP API (docs/architecture.md). */
export class ApiClient implements ReleaseClient {
  readonly invocation = PLAIN_INVOCATION;
  readonly counts = true;
  readonly #server: URL;
  readonly #signal: AbortSignal;
  readonly #credentials: ApiCredentials;
  #headers: Promise<Readonly<Record<string, string>>> | undefined;

  constructor(server: string, signal: AbortSignal, credentials: ApiCredentials = {}) {
    this.#server = serverUrl(server, credentials);
    this.#signal = signal;
    this.#credentials = credentials;
  }

  async releases(namespace: string | undefined): Promise<readonly ReleaseView[]> {
    const { items } = (await this.#call('/api/v1/releases', hasObjects)) as { items: ReleaseView[] };
    return items.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
  }

  async release(namespace: string, name: string): Promise<ReleaseView | undefined> {
    return (await this.#find(`/api/v1/releases/${path(namespace, name)}`, isObject)) as ReleaseView | undefined;
  }

  async findings(releases: readonly Omit<ObjectRef, 'kind'>[]): Promise<ReleaseFindings> {
    const findings = releases.map(async ({ namespace, name }) => {
      const at = `/api/v1/releases/${path(namespace, name)}/findings`;
      const found = (await this.#find(at, hasItems)) as { items: Diagnostic[] } | undefined;
      return found?.items ?? [];
    });
    return { kind: 'known', findings: await Promise.all(findings) };
  }

  async history(namespace: string, name: string, limit: number): Promise<HistoryView | undefined> {
    return (await this.#find(`/api/v1/releases/${path(namespace, name)}/history?limit=${limit}`, hasItems)) as HistoryView | undefined;
  }

  async objects(kind: string | undefined, namespace: string | undefined, view: 'served' | 'base'): Promise<readonly ObjectView[]> {
    const query = new URLSearchParams({ view, ...(kind === undefined ? {} : { kind }), ...(namespace === undefined ? {} : { namespace }) });
    return ((await this.#call(`/api/v1/objects?${query}`, hasObjects)) as { items: ObjectView[] }).items;
  }

  async object({ kind, namespace, name }: ObjectRef, view: 'served' | 'base'): Promise<ObjectView | undefined> {
    return (await this.#find(`/api/v1/objects/${path(kind, namespace, name)}?view=${view}`, isObject)) as ObjectView | undefined;
  }

  async readable(kind: string | undefined): Promise<ReadableObjects> {
    return { objects: await this.objects(kind, undefined, 'base') };
  }

  async namespaces(): Promise<readonly string[]> {
    const found = await this.objects(undefined, undefined, 'base');
    return [...new Set(found.map(({ metadata }) => metadata.namespace))];
  }

  async apply(objects: readonly KubeObject[], { by, force }: ApplyOptions): Promise<ApplyAnswer> {
    if (force === true) throw new CommandError('--force-conflicts is for clusters: an embedded runtime knows no field managers');
    return (await this.#call(`/api/v1/objects?${new URLSearchParams({ by })}`, hasOutcomes, {
      method: 'PUT',
      body: { objects },
    })) as ApplyAnswer;
  }

  async remove({ kind, namespace, name }: ObjectRef, by: string): Promise<boolean> {
    const at = `/api/v1/objects/${path(kind, namespace, name)}?${new URLSearchParams({ by })}`;
    return (await this.#find(at, isFields, { method: 'DELETE' })) !== undefined;
  }

  async restoreBase(namespace: string, name: string, by: string): Promise<boolean> {
    const at = `/api/v1/releases/${path(namespace, name)}?${new URLSearchParams({ restoreBase: 'true', by })}`;
    return (await this.#find(at, isFields, { method: 'DELETE' })) !== undefined;
  }

  async request(namespace: string, name: string, request: ReleaseRequest, waitMs: number): Promise<RequestAnswer | undefined> {
    const until = performance.now() + waitMs;
    const isAnswer: IsOurs = ({ id }) => id === request.id;
    for (let left = waitMs; ; left = Math.max(until - performance.now(), 0)) {
      const wait = Math.min(Math.ceil(left), LONGEST_WAIT_MS);
      const at = `/api/v1/releases/${path(namespace, name)}/requests?wait=${wait}`;
      const found = await this.#find(at, isAnswer, { method: 'POST', body: request, waitMs: wait });
      if (found === undefined) return undefined;
      const { id, outcome, message } = found as { id: string; outcome?: 'done'; message?: string };
      if (outcome === 'done' || left <= wait) return { id, state: outcome === 'done' ? 'done' : 'pending', message };
    }
  }

  async *follow(namespace: string | undefined, signal: AbortSignal): AsyncGenerator<ReleaseChange> {
    const isWanted = (where: string): boolean => namespace === undefined || where === namespace;
    const stream = await this.#events(signal);
    yield { kind: 'all', releases: await this.releases(namespace) };
    for await (const { event, data } of readEvents(stream)) {
      const value: unknown = JSON.parse(data);
      if (event === 'release') {
        const release = value as ReleaseView;
        if (isWanted(release.metadata.namespace)) yield { kind: 'changed', release };
      } else if (event === 'deleted') {
        const gone = value as { readonly namespace: string; readonly name: string };
        if (isWanted(gone.namespace)) yield { kind: 'deleted', ...gone };
      }
    }
  }

  /** The API tells of releases only: it is asked each second, on this machine. */
  async *changes(_kind: string, _namespace: string | undefined, signal: AbortSignal): AsyncGenerator<void> {
    for (;;) {
      await sleep(CHANGES_MS, undefined, { signal });
      yield;
    }
  }

  async tryRequest(asked: AskedTrial): Promise<RouteTrialView> {
    return (await this.#call('/api/v1/route-trials', isTrial, { method: 'POST', body: asked })) as unknown as RouteTrialView;
  }

  async standstill(): Promise<undefined> {
    return undefined;
  }

  async #events(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#fetch('/api/v1/events', { headers: { accept: 'text/event-stream' }, signal });
    if (!response.ok || response.body === null) throw await this.#problemOf(response);
    return response.body;
  }

  async #find(at: string, isOurs: IsOurs, options: CallOptions = {}): Promise<unknown> {
    try {
      return await this.#call(at, isOurs, options);
    } catch (error) {
      if (error instanceof ApiProblem && error.problem.code === 'PERCH4005') return undefined;
      throw error;
    }
  }

  async #call(at: string, isOurs: IsOurs, { method = 'GET', body, waitMs = 0 }: CallOptions = {}): Promise<unknown> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(waitMs + PATIENCE_MS)]);
    const response = await this.#fetch(at, { method, signal, ...sent });
    if (!response.ok) throw await this.#problemOf(response);
    const answer = parsed(await this.#textOf(response));
    if (!isFields(answer) || !isOurs(answer)) throw this.#foreign(response);
    return answer;
  }

  /** What every call carries. */
  async #showCredentials(): Promise<Readonly<Record<string, string>>> {
    const { caFile, tokenFile } = this.#credentials;
    if (caFile !== undefined) await trustOnly(caFile);
    return tokenFile === undefined ? {} : { authorization: `Bearer ${await readTokenFile(tokenFile)}` };
  }

  async #fetch(at: string, init: CallInit): Promise<Response> {
    this.#headers ??= this.#showCredentials();
    const headers = { ...init.headers, ...(await this.#headers) };
    try {
      return await fetch(new URL(at, this.#server), { redirect: 'manual', ...init, headers });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #textOf(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #problemOf(response: Response): Promise<Error> {
    const answer = parsed(await this.#textOf(response));
    if (!isFields(answer) || !isProblem(answer)) throw this.#foreign(response);
    const problem = answer as unknown as Problem;
    return this.#refusal(problem) ?? new ApiProblem(problem);
  }

  /** The runtime's no to whoever asks, in the words of this command line; undefined for any other problem. */
  #refusal({ code, detail }: Problem): CommandError | undefined {
    const { tokenFile } = this.#credentials;
    const { origin } = this.#server;
    if (code === 'PERCH4091') return new CommandError(`${origin} refuses it: ${detail}; name the file of one that may act (${code})`);
    if (code !== 'PERCH4090') return undefined;
    if (tokenFile !== undefined) return new CommandError(`${origin} does not know the token of ${tokenFile} (${code})`);
    return new CommandError(`${origin} asks who you are: name a file with your token, --token-file FILE or PERCH_TOKEN_FILE (${code})`);
  }

  /** Why there was no answer, or only a part of one; `error` itself where this command is to end. */
  #unreachable(error: unknown): unknown {
    if (this.#signal.aborted || (error instanceof Error && error.name === 'AbortError')) return error;
    const why = connectionFailure(error);
    const remedy =
      why === UNTRUSTED
        ? 'name who vouches for it, --ca-file FILE or PERCH_CA_FILE'
        : 'start it with perch serve -f DIR or perch demo, name another with --server URL, or a cluster with --context NAME';
    return new CommandError(`cannot reach Perch at ${this.#server.origin} (${why}): ${remedy}`);
  }

  #foreign({ status }: Response): CommandError {
    return new CommandError(
      `${this.#server.origin} answered ${status}, but not as Perch does: is it another program's port? Name Perch's with --server URL`,
    );
  }
}

/** Throws CommandError. A token is not sent over a network in the clear, unless the address says so. */
function serverUrl(server: string, { tokenFile }: ApiCredentials): URL {
  const given = URL.parse(server.includes('://') ? server : `http://${server}`);
  if (given === null || (given.protocol !== 'http:' && given.protocol !== 'https:')) {
    throw new CommandError(`--server ${server} is not an address such as http://127.0.0.1:7070`);
  }
  const isLocal = LOOPBACK_NAMES.includes(given.hostname);
  return tokenFile !== undefined && !isLocal && !server.includes('://') ? new URL(`https://${server}`) : given;
}

function path(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join('/');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
