import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { filesOfSecret, keepCertificate, readCertificate } from '../../cluster/certificates/certificate-files.ts';
import { secureContext } from '../bounded-server.ts';
import { asListenError } from '../listen-error.ts';
import type { RuntimeLog } from '../runtime-log.ts';
import { type AdmissionAnswer, type AdmissionRequest, readReview, reviewText } from './admission-review.ts';

/** How an apiserver reaches the webhook. */
export interface WebhookPlace {
  /** On all addresses; 0: any free one. */
  readonly port: number;
  /** Folder of `tls.crt` and `tls.key`. */
  readonly certificateFolder: string;
}

/** One answer, and how long it took to make. */
export interface AnswerFigures {
  readonly outcome: 'woven' | 'unchanged' | 'failed';
  /** In ms. */
  readonly tookMs: number;
}

/** What is served, and whom it tells. */
interface WebhookOptions extends WebhookPlace {
  readonly log: RuntimeLog;
  readonly onAnswer?: (figures: AnswerFigures) => void;
  /** How often the files are looked at, in ms; default 10 s: a mounted Secret takes up to a minute to change. */
  readonly rereadMs?: number;
}

/** What is to be changed in a write. */
type Answer = (request: AdmissionRequest) => Promise<AdmissionAnswer>;

/** A webhook that is being served. */
export interface Webhook {
  readonly port: number;
  /** From now on it has something to say. */
  answerBy(answer: Answer): void;
  /** What is being asked is answered, for 5 s at most; nothing else is. */
  close(): Promise<void>;
}

/** Bytes of a body: two objects, each at most the 3 MiB that an apiserver takes of a request, and what is around them. */
const MOST_BYTES = 7 * 1024 * 1024;
/** An apiserver opens one for each write that is under way. */
const MOST_CONNECTIONS = 256;
/** A request has arrived within this time, in ms. */
const REQUEST_MS = 10_000;
/** Longer than apiservers keep an idle connection (90 s): a write must not meet one that is being closed from here. */
const IDLE_MS = 120_000;
const CLOSE_MS = 5000;
const REREAD_MS = 10_000;

const ALLOWED: AdmissionAnswer = { patch: [], warnings: [] };

/**
 * Answers AdmissionReviews at `POST /weave` over TLS. Every write is allowed: where there is nothing to say yet, or anything goes
 * wrong, as it is. Certificates are taken up as their files change; connections that are open go on.
 * @throws CertificateError, ListenError
 */
export async function startWebhook(options: WebhookOptions): Promise<Webhook> {
  const files = filesOfSecret(options.certificateFolder);
  const certificate = await readCertificate(files);
  const server = createServer(secureContext(certificate));
  server.maxConnections = MOST_CONNECTIONS;
  server.requestTimeout = REQUEST_MS;
  server.keepAliveTimeout = IDLE_MS;
  server.on('tlsClientError', (_, socket) => socket.destroy());
  const stop = new AbortController();
  const { log, onAnswer = () => undefined } = options;
  const state: Answering = { answer: undefined, closing: stop.signal, log, onAnswer };
  server.on('request', (request, response) => {
    // No answer is one, too: the apiserver goes on without.
    serve(state, request, response).catch((error: unknown) => {
      log.error('the webhook failed', error);
      response.destroy();
    });
  });
  const port = await listen(server, options.port);
  void keepCertificate(certificate, {
    files,
    owner: 'the webhook',
    whenOver: 'no apiserver asks',
    rereadMs: options.rereadMs ?? REREAD_MS,
    onChange: (next) => server.setSecureContext(secureContext(next)),
    log,
    signal: stop.signal,
  });
  return {
    port,
    answerBy(answer) {
      state.answer = answer;
    },
    async close() {
      stop.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.race([closed, sleep(CLOSE_MS, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    throw asListenError(error) ?? error;
  }
  return (server.address() as AddressInfo).port;
}

/** What answers; `answer` is undefined until there is something to answer by. */
interface Answering {
  answer: Answer | undefined;
  readonly closing: AbortSignal;
  readonly log: RuntimeLog;
  readonly onAnswer: (figures: AnswerFigures) => void;
}

async function serve(state: Answering, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body, type = 'text/plain', isLast = false } = await replyTo(state, request);
  if (response.destroyed) return;
  // Where the rest of a body is not read, or nobody reads what comes next, the connection ends.
  if (isLast || state.closing.aborted) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly isLast?: boolean;
}

async function replyTo(state: Answering, request: IncomingMessage): Promise<Reply> {
  const path = request.url?.split('?')[0];
  if (path !== '/weave') return { status: 404, body: 'only /weave is here' };
  if (request.method !== 'POST') return { status: 405, body: 'an AdmissionReview is posted' };
  const text = await readBody(request);
  if (text === undefined) return { status: 413, body: `more than ${MOST_BYTES} bytes`, isLast: true };
  const asked = readReview(text);
  if (asked === undefined) return { status: 400, body: 'not an AdmissionReview of admission.k8s.io/v1' };
  return { status: 200, body: await answerTo(state, asked), type: 'application/json' };
}

/** Whatever goes wrong, also in writing the answer down: objects may be nested deeper than anybody goes. */
async function answerTo({ answer, log, onAnswer }: Answering, asked: AdmissionRequest): Promise<string> {
  if (answer === undefined) return reviewText(asked.uid, ALLOWED);
  const began = performance.now();
  try {
    const answered = await answer(asked);
    const text = reviewText(asked.uid, answered);
    onAnswer({ outcome: answered.patch.length > 0 ? 'woven' : 'unchanged', tookMs: performance.now() - began });
    return text;
  } catch (error) {
    log.error('an object that was written could not be woven on its way; it is left to the controller', error);
    onAnswer({ outcome: 'failed', tookMs: performance.now() - began });
    return reviewText(asked.uid, ALLOWED);
  }
}

/** Undefined where it is too long; empty where it was cut off. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) return undefined;
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of request) {
      length += (part as Buffer).length;
      if (length > MOST_BYTES) return undefined;
      parts.push(part as Buffer);
    }
  } catch {
    return '';
  }
  return Buffer.concat(parts).toString();
}
