import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';
import { type KubeCall, verbOf } from './kube-call.ts';

/** Where an apiserver is, and how to be let in. */
export interface KubeAccess {
  /** Without a slash at its end. */
  readonly url: string;
  /** Puts certificates, and what tells who asks, into the options of a request; asked for each, since tokens are renewed. */
  readonly authenticate: (options: RequestOptions) => Promise<void>;
}

/** The Status object with which an apiserver says no (k8s.io/apimachinery, meta/v1 Status). */
interface ApiStatus {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly StatusCause[] };
}

/** One thing that is wrong with what was sent; `field` is a path such as `spec.steps[0].weight` (meta/v1 StatusCause). */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** What is known of a failure. */
interface KubeErrorDetails {
  readonly status: number;
  readonly reason?: string;
  readonly retryAfterMs?: number | undefined;
  readonly causes?: readonly StatusCause[];
  readonly cause?: unknown;
}

/** Reason of a KubeError where the kubeconfig gives nothing to be let in by. */
export const NO_CREDENTIALS = 'NoCredentials';

/** An apiserver said no, or what it said could not be read. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** As in `Status.reason`: `Conflict`, `Expired`, `NotFound`; empty where none was given. */
  readonly reason: string;
  /** After how many ms to ask again, where the server says so. */
  readonly retryAfterMs: number | undefined;
  /** What is wrong, field by field, as in `Status.details.causes`. */
  readonly causes: readonly StatusCause[];

  constructor(message: string, about: KubeErrorDetails) {
    super(message, about.cause === undefined ? {} : { cause: about.cause });
    this.status = about.status;
    this.reason = about.reason ?? '';
    this.retryAfterMs = about.retryAfterMs;
    this.causes = about.causes ?? [];
  }

  /** Whether nothing is wrong but that the server has too much to do, or takes up a definition that is new: it says itself when to come again. */
  get isBusy(): boolean {
    return (this.status === 429 || this.status === 503) && this.retryAfterMs !== undefined;
  }
}

/** What is sent beside the path. */
export interface KubeRequest {
  readonly method?: string;
  readonly body?: unknown;
  /** Of the body; `application/json` where absent. */
  readonly contentType?: string;
  /** As which kind of JSON the answer is wanted; as the object itself where absent. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Asked once the connection is there, right before the request leaves: whether it may still. */
  readonly mayLeave?: () => boolean;
}

/** Bytes of one answer, or of one line of a watch: more than etcd keeps of an object (1.5 MiB), or a page of them. */
const MOST_BYTES = 64 * 1024 * 1024;
/** An answer to anything but a watch comes within this time, in ms. */
const ANSWER_MS = 60_000;
/** Idle connections are kept alive by the kernel, so that one whose other end is gone is noticed. */
const KEEP_ALIVE_MS = 15_000;
/** An answer that took longer, in ms, says nothing of what time it is. */
const FRESH_MS = 1000;
/** A clock that differs by less, in ms, is right: the header tells whole seconds. */
const CLOCKS_AGREE_MS = 2000;

/** Talks to one apiserver: JSON, and watches line by line. */
export class KubeClient {
  readonly #access: KubeAccess;
  readonly #onCall: (call: KubeCall) => void;
  readonly #agent: string;
  #aheadMs = 0;

  /**
   * `onCall` is told of each request when its answer begins, or fails to come; must not throw. `agent`: as whom audit logs and metrics know it
   * (`User-Agent`, RFC 9110 10.1.5).
   */
  constructor(access: KubeAccess, onCall: (call: KubeCall) => void = () => {}, agent = 'perch') {
    this.#access = access;
    this.#onCall = onCall;
    this.#agent = agent;
  }

  /** By how much the apiserver's clock is ahead of this machine's, in ms; 0 where they differ by no more than its answers can tell. */
  get serverAheadMs(): number {
    return this.#aheadMs;
  }

  /** The time by the apiserver's clock, in ms since the epoch: it is one and the same for all that talk to it. */
  now(): number {
    return Date.now() + this.#aheadMs;
  }

  /**
   * The JSON of an answer.
   * @throws KubeError for a status of 400 or more, an answer that is no JSON, or none.
   */
  async request(path: string, request: KubeRequest = {}): Promise<unknown> {
    // By hand: AbortSignal.any keeps something of every request at a signal that lives as long as the process.
    const abort = new AbortController();
    const { signal } = request;
    const onAbort = (): void => abort.abort(signal?.reason);
    const deadline = setTimeout(() => abort.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort);
    try {
      const answer = await this.#open(path, { ...request, signal: abort.signal });
      return parseJson(await readText(answer), path);
    } catch (error) {
      throw error instanceof KubeError ? error : broken(path, error);
    } finally {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /**
   * The lines of an answer, each JSON, as they come; ends when the server ends it. A last line that is cut off is no line.
   * @throws KubeError as `request`, also when the connection breaks.
   */
  async *lines(path: string, signal: AbortSignal, accept?: string): AsyncGenerator<unknown, void> {
    const answer = await this.#open(path, { signal, ...(accept === undefined ? {} : { accept }) });
    let rest = '';
    try {
      for await (const part of answer.setEncoding('utf8')) {
        const pieces = (rest + String(part)).split('\n');
        rest = pieces.pop() ?? '';
        if (rest.length > MOST_BYTES) throw new KubeError(`${placeOf(path)}: a line of over ${MOST_BYTES} bytes`, { status: 0 });
        for (const line of pieces) if (line !== '') yield parseJson(line, path);
      }
    } catch (error) {
      throw error instanceof KubeError ? error : broken(path, error);
    } finally {
      answer.destroy();
    }
  }

  async #open(
    path: string,
    { method = 'GET', body, contentType = 'application/json', accept = 'application/json', signal, mayLeave }: KubeRequest,
  ): Promise<IncomingMessage> {
    const headers = { accept, 'user-agent': this.#agent };
    const options: RequestOptions = { method, headers, ...(signal === undefined ? {} : { signal }) };
    const sent = body === undefined ? undefined : JSON.stringify(body);
    if (sent !== undefined) {
      options.headers = { ...options.headers, 'content-type': contentType, 'content-length': Buffer.byteLength(sent) };
    }
    await this.#access.authenticate(options).catch((error: unknown) => {
      throw new KubeError(`no credentials: ${textOf(error)}`, { status: 0, reason: NO_CREDENTIALS, cause: error });
    });
    const began = performance.now();
    const told = (code: number): void => this.#onCall({ verb: verbOf(method, path), status: code, tookMs: performance.now() - began });
    const answer = await answerTo(`${this.#access.url}${path}`, options, sent, mayLeave).catch((error: unknown) => {
      told(0);
      throw broken(path, error);
    });
    if (performance.now() - began < FRESH_MS) this.#readClock(answer.headers.date);
    const status = answer.statusCode ?? 0;
    told(status);
    if (status < 400) return answer;
    throw refused(path, status, answer, await readText(answer).catch(() => ''));
  }

  /** `date`: the header of that name, in whole seconds. */
  #readClock(date: string | undefined): void {
    const ahead = date === undefined ? Number.NaN : Date.parse(date) + 500 - Date.now();
    if (Number.isFinite(ahead)) this.#aheadMs = Math.abs(ahead) < CLOCKS_AGREE_MS ? 0 : ahead;
  }
}

/** Nothing is sent before there is a connection, and `mayLeave` says yes. */
function answerTo(
  url: string,
  options: RequestOptions,
  body: string | undefined,
  mayLeave: () => boolean = () => true,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const isSecure = url.startsWith('https:');
    const outgoing: ClientRequest = isSecure ? secureRequest(url, options) : plainRequest(url, options);
    const leave = (): void => {
      if (mayLeave()) outgoing.end(body);
      else outgoing.destroy(new Error('it may not be sent any more'));
    };
    outgoing.once('socket', (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', leave);
      else leave();
    });
    outgoing.once('response', resolve);
    // On, not once: an error after the answer has begun must not be thrown for want of a listener.
    outgoing.on('error', reject);
  });
}

async function readText(answer: IncomingMessage): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of answer.setEncoding('utf8')) {
    const text = String(part);
    length += text.length;
    if (length > MOST_BYTES) throw new KubeError(`an answer of over ${MOST_BYTES} bytes`, { status: 0 });
    parts.push(text);
  }
  return parts.join('');
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new KubeError(`${placeOf(path)}: the answer is no JSON`, { status: 0 });
  }
}

/** A path as people are told of it. */
function placeOf(path: string): string {
  return path.split('?')[0] ?? path;
}

function broken(path: string, error: unknown): KubeError {
  return new KubeError(`${placeOf(path)}: ${textOf(error)}`, { status: 0, cause: error });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refused(path: string, status: number, { headers }: IncomingMessage, text: string): KubeError {
  let said: ApiStatus = {};
  try {
    said = JSON.parse(text) as ApiStatus;
  } catch {
    // A proxy's own page, or nothing at all.
  }
  const seconds = Number(headers['retry-after'] ?? said.details?.retryAfterSeconds);
  return new KubeError(`${placeOf(path)}: ${said.message ?? `status ${status}`}`, {
    status,
    reason: said.reason ?? '',
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    causes: said.details?.causes ?? [],
  });
}

/** What an apiserver says within a watch, or an error of ours, as one. */
export function asKubeError(object: unknown): KubeError {
  const { code = 0, message = 'the watch failed', reason = '' } = (object ?? {}) as ApiStatus & { readonly code?: number };
  return new KubeError(message, { status: code, reason });
}
