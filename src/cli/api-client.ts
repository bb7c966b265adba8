import type { ApplyOutcome, ObjectRef } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { RequestAction } from '../core/release/status.ts';
import type { Problem } from '../server/problem.ts';
import type { HistoryView, ObjectView, ReleaseView } from '../server/release-resource.ts';
import { CommandError } from './command-error.ts';

/** A call that the runtime answered with a problem document. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** What an apply did. */
export interface ApplyAnswer {
  readonly outcomes: readonly ApplyOutcome[];
  readonly warnings: readonly Diagnostic[];
}

/** What became of a request: `pending` where its outcome was not there in time. */
export interface RequestAnswer {
  readonly id: string;
  readonly state: 'done' | 'pending';
  readonly message: string | undefined;
}

interface CallOptions {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly body?: unknown;
  /** How long the runtime may take on purpose, in ms. */
  readonly waitMs?: number;
}

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
const isProblem: IsOurs = ({ code, detail }) => typeof code === 'string' && code.startsWith('PERCH') && typeof detail === 'string';

/** A runtime that has not answered for so long, in ms, is given up; its longest answer takes a fraction of it. */
const PATIENCE_MS = 60_000;
/** A request's outcome is waited for in calls of at most this, in ms: `fetch` gives one up whose answer does not begin within 300 s. */
const LONGEST_WAIT_MS = 60_000;

/** Why a connection failed, by the codes of Node and undici, in a few words. */
const CONNECTION_FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no such host',
  ECONNRESET: 'it closed the connection',
  UND_ERR_SOCKET: 'it closed the connection',
  ETIMEDOUT: 'no answer',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
  UND_ERR_HEADERS_TIMEOUT: 'no answer',
  UND_ERR_BODY_TIMEOUT: 'no answer',
};

function connectionFailure(error: unknown): string {
  let reason = String(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'TimeoutError') return 'no answer';
    reason = cause.message;
    const code = 'code' in cause ? cause.code : undefined;
    if (typeof code === 'string') return CONNECTION_FAILURES[code] ?? code;
  }
  return reason;
}

/** The runtime's HTTP API (docs/architecture.md). Every call throws CommandError where it is unreachable, ApiProblem where it refuses. */
export class ApiClient {
  readonly #server: URL;
  readonly #signal: AbortSignal;

  constructor(server: string, signal: AbortSignal) {
    const url = URL.parse(server.includes('://') ? server : `http://${server}`);
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      throw new CommandError(`--server ${server} is not an address such as http://127.0.0.1:7070`);
    }
    this.#server = url;
    this.#signal = signal;
  }

  async releases(): Promise<readonly ReleaseView[]> {
    return ((await this.#call('/api/v1/releases', hasObjects)) as { items: ReleaseView[] }).items;
  }

  /** Undefined where there is no such release. */
  async release(namespace: string, name: string): Promise<ReleaseView | undefined> {
    return (await this.#find(`/api/v1/releases/${path(namespace, name)}`, isObject)) as ReleaseView | undefined;
  }

  /** What weaving says of a release and the objects that it is woven into; nothing where there is no such release. */
  async findings(namespace: string, name: string): Promise<readonly Diagnostic[]> {
    const at = `/api/v1/releases/${path(namespace, name)}/findings`;
    const found = (await this.#find(at, hasItems)) as { items: Diagnostic[] } | undefined;
    return found?.items ?? [];
  }

  /** The newest events of a release, at most `limit` (1 to 200), also of one that was deleted. Undefined where nothing is known of it. */
  async history(namespace: string, name: string, limit: number): Promise<HistoryView | undefined> {
    return (await this.#find(`/api/v1/releases/${path(namespace, name)}/history?limit=${limit}`, hasItems)) as HistoryView | undefined;
  }

  /** Without kind, those of all kinds; without namespace, those of all namespaces. */
  async objects(kind: string | undefined, namespace: string | undefined, view: 'served' | 'base'): Promise<readonly ObjectView[]> {
    const query = new URLSearchParams({ view, ...(kind === undefined ? {} : { kind }), ...(namespace === undefined ? {} : { namespace }) });
    return ((await this.#call(`/api/v1/objects?${query}`, hasObjects)) as { items: ObjectView[] }).items;
  }

  /** Undefined where there is no such object. */
  async object({ kind, namespace, name }: ObjectRef, view: 'served' | 'base'): Promise<ObjectView | undefined> {
    return (await this.#find(`/api/v1/objects/${path(kind, namespace, name)}?view=${view}`, isObject)) as ObjectView | undefined;
  }

  /** All or nothing. */
  async apply(objects: readonly KubeObject[], by: string): Promise<ApplyAnswer> {
    return (await this.#call(`/api/v1/objects?${new URLSearchParams({ by })}`, hasOutcomes, {
      method: 'PUT',
      body: { objects },
    })) as ApplyAnswer;
  }

  /** False where there is no such object. A release is only marked: it goes once its routes were taken out. */
  async remove({ kind, namespace, name }: ObjectRef, by: string): Promise<boolean> {
    const at = `/api/v1/objects/${path(kind, namespace, name)}?${new URLSearchParams({ by })}`;
    return (await this.#find(at, isFields, { method: 'DELETE' })) !== undefined;
  }

  /** As `remove` of a release, but its routes go back to where their owner had sent them. */
  async restoreBase(namespace: string, name: string, by: string): Promise<boolean> {
    const at = `/api/v1/releases/${path(namespace, name)}?${new URLSearchParams({ restoreBase: 'true', by })}`;
    return (await this.#find(at, isFields, { method: 'DELETE' })) !== undefined;
  }

  /** Posts a request to a release and waits for its outcome for at most `waitMs`; the same `id` is never handled twice. Undefined where there is no such release. */
  async request(
    namespace: string,
    name: string,
    request: { readonly id: string; readonly action: RequestAction; readonly full?: boolean; readonly by: string },
    waitMs: number,
  ): Promise<RequestAnswer | undefined> {
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

  /** The stream of `/api/v1/events`, for `readEvents`. */
  async events(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#fetch('/api/v1/events', { headers: { accept: 'text/event-stream' }, signal });
    if (!response.ok || response.body === null) throw new ApiProblem(await this.#problemOf(response));
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
    if (!response.ok) throw new ApiProblem(await this.#problemOf(response));
    const answer = parsed(await this.#textOf(response));
    if (!isFields(answer) || !isOurs(answer)) throw this.#foreign(response);
    return answer;
  }

  async #fetch(at: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(new URL(at, this.#server), { redirect: 'manual', ...init });
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

  async #problemOf(response: Response): Promise<Problem> {
    const answer = parsed(await this.#textOf(response));
    if (!isFields(answer) || !isProblem(answer)) throw this.#foreign(response);
    return answer as unknown as Problem;
  }

  /** Why there was no answer, or only a part of one; `error` itself where this command is to end. */
  #unreachable(error: unknown): unknown {
    if (this.#signal.aborted || (error instanceof Error && error.name === 'AbortError')) return error;
    return new CommandError(
      `cannot reach Perch at ${this.#server.origin} (${connectionFailure(error)}): ` +
        'start it with perch serve -f DIR or perch demo, or name another with --server URL',
    );
  }

  #foreign({ status }: Response): CommandError {
    return new CommandError(
      `${this.#server.origin} answered ${status}, but not as Perch does: is it another program's port? Name Perch's with --server URL`,
    );
  }
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
