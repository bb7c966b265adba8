import type { IncomingRequest } from '../../../src/gateway/incoming-request.ts';
import { DEFAULT_LIMITS } from '../../../src/gateway/limits.ts';
import { type LlhttpMessage, LlhttpParser } from '../../harness/llhttp.ts';
import { type GatewayMessage, readByGateway } from './read-requests.ts';
import { fieldOf } from './request-property.ts';

/** What has to come of one request in the bytes that a client sends. */
interface Expected {
  readonly message: GatewayMessage;
  /** As it is sent on; undefined where the gateway answers by itself. */
  readonly request: IncomingRequest | undefined;
  /** Of the gateway's own answer. */
  readonly status: number | undefined;
}

/** What the gateway's parsers, which are held against llhttp by themselves, make of the bytes that a client sends. */
export interface Conversation {
  readonly expected: readonly Expected[];
  /** What is behind the last of them: nothing, or something that is no whole request. */
  readonly tail: 'clean' | 'rest';
  /** The request that has begun and is not whole. */
  readonly unfinished: GatewayMessage | undefined;
}

/** Of `OPTIONS *`, after which the connection goes on; any other refusal ends it. */
const NOWHERE = 404;
const MALFORMED: ReadonlySet<number> = new Set([400, 408, 413, 417, 426, 431, 501]);

/** Reads what a client is going to send. */
export function foretell(bytes: Buffer): Conversation {
  const { messages } = readByGateway([bytes], DEFAULT_LIMITS);
  const expected: Expected[] = [];
  for (const message of messages) {
    const { read } = message;
    if (!message.complete && !('detail' in read)) break;
    expected.push('detail' in read ? { message, request: undefined, status: read.status } : { message, request: read, status: undefined });
  }
  const end = expected.at(-1)?.message.end ?? 0;
  return { expected, tail: bytes.length === end ? 'clean' : 'rest', unfinished: messages[expected.length] };
}

/** Whether a message says that the connection ends with it. */
function closes(fields: readonly string[]): boolean {
  return fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'connection' && /close/i.test(fields[at + 1] ?? ''));
}

/** Whether the client may go on after it: everything was a request, and none is the last by its own account, or asked for an upgrade. */
export function staysOpen({ expected, tail }: Conversation): boolean {
  return tail === 'clean' && expected.every(({ message: { wishes } }) => wishes.keepAlive && !wishes.upgradable);
}

/** Whether one of the answers says that it is the last. */
export function isOver(answers: readonly LlhttpMessage[]): boolean {
  return answers.some(({ fields }) => closes(fields));
}

function fail(what: string, ...values: readonly unknown[]): never {
  throw new Error(`${what}: ${values.map((value) => JSON.stringify(value)).join(', ')}`);
}

/** Checks that this answer is that of the upstream to this very request, and takes it from `seen`. */
function judgePair(answer: LlhttpMessage, { message, request }: Expected, seen: Map<string, LlhttpMessage>): void {
  const id = fieldOf(answer.fields, 'x-seen');
  if (id === undefined || request === undefined) fail('an answer that is not the upstream’s', answer, message);
  const upstream = seen.get(id);
  if (upstream === undefined) fail('an answer that was given to somebody else', answer, message);
  seen.delete(id);
  if (message.method !== 'HEAD' && answer.body !== `seen ${id}`) fail('another body', answer);
  if (upstream.method !== message.method || upstream.target !== request.path || upstream.body !== message.body) {
    fail('the upstream saw another request', upstream, message);
  }
  const own = upstream.fields.slice(2, 2 + request.fields.length);
  const wanted = request.fields.with(request.fields.length - 1, id);
  if (upstream.fields[1] !== request.authority || JSON.stringify(own) !== JSON.stringify(wanted))
    fail('the upstream saw other fields', upstream, message);
}

/** Answers that have come, without interim ones. */
export function answersIn(received: Buffer, { expected, unfinished }: Conversation, closed: boolean): readonly LlhttpMessage[] {
  const asked = [...expected.map(({ message }) => message), unfinished];
  const parser = new LlhttpParser('response', { toHead: (ordinal) => asked[ordinal]?.method === 'HEAD' });
  parser.execute(received);
  if (closed) parser.finish();
  parser.free();
  if (parser.error !== undefined) fail('the client got no HTTP', parser.error, received.toString('latin1'));
  return parser.messages.filter(({ complete, status }) => complete && status >= 200);
}

/** Holds what the client got against what had to come. @throws Error that says what is wrong. */
export function judge(conversation: Conversation, answers: readonly LlhttpMessage[], seen: Map<string, LlhttpMessage>): void {
  const { expected, tail } = conversation;
  let over = false;
  for (const [at, answer] of answers.entries()) {
    const each = expected[at];
    if (over) fail('an answer after the last', answer);
    over = closes(answer.fields);
    if (each?.request !== undefined) {
      judgePair(answer, each, seen);
      continue;
    }
    if (each === undefined && tail === 'clean') fail('an answer to nothing', answer);
    if (fieldOf(answer.fields, 'x-seen') !== undefined) fail('forwarded', answer, each?.message);
    if (each === undefined ? !MALFORMED.has(answer.status) : answer.status !== each.status) {
      fail('not refused', answer, each?.message);
    }
    if (!over && answer.status !== NOWHERE) fail('refused, but the connection goes on', answer);
  }
  const due = expected[answers.length];
  if (due !== undefined && !over) fail('no answer', due.message);
}
