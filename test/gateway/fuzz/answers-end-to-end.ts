import { DEFAULT_LIMITS } from '../../../src/gateway/limits.ts';
import { type LlhttpMessage, LlhttpParser } from '../../harness/llhttp.ts';
import { clusterAt, everythingTo, startTestGateway, type TestGateway } from '../running-gateway.ts';
import type { Draw } from './draw.ts';
import { drawFor, FuzzFailure } from './fuzz-parsers.ts';
import { responseText } from './messages.ts';
import { mutate } from './mutate.ts';
import { RawConnection } from './raw-connection.ts';
import { fieldOf } from './request-property.ts';
import { type GatewayReading, readByGateway } from './response-property.ts';
import { type ScriptedUpstream, startScriptedUpstream, type UpstreamScript } from './scripted-upstream.ts';
import { segments } from './segments.ts';

/** Clients at once. */
const CLIENTS = 16;
const GATEWAYS_OWN: ReadonlySet<number> = new Set([502, 503]);

/** What came of a run. */
export interface AnswerFigures {
  /** Responses, right or wrong, that the upstream gave. */
  readonly inputs: number;
  readonly whole: number;
  readonly refused: number;
  readonly cut: number;
}

/** One response of the upstream, and what the gateway's parser has to make of it. */
interface Case {
  readonly path: string;
  readonly text: string;
  readonly toHead: boolean;
  readonly script: UpstreamScript;
  readonly reading: GatewayReading;
}

function makeCase(draw: Draw, path: string): Case {
  const toHead = draw.oneIn(6);
  const [one, other] = [responseText(draw, path), responseText(draw, `other-${path}`)];
  const text = draw.oneIn(3) ? one : draw.oneIn(6) ? one + other : mutate(one, other, draw);
  const bytes = Buffer.from(text, 'latin1');
  const reading = readByGateway([bytes], toHead, DEFAULT_LIMITS);
  const isAll = reading.outcome === 'whole' && reading.end === bytes.length && reading.head?.framing !== 'close';
  const isTooMuch = reading.outcome === 'whole' && reading.end < bytes.length;
  let pieces = segments(bytes, draw, 40);
  if (isTooMuch) {
    // What is too much comes with the end: later it could only be taken for the answer to whoever comes next.
    const cut = draw.below(reading.end);
    pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
  }
  return {
    path,
    text,
    toHead,
    reading,
    script: { pieces, closes: (!isAll && !isTooMuch) || draw.oneIn(4), spoils: !isAll || reading.head?.keepAlive !== true },
  };
}

function fail(what: string, ...values: readonly unknown[]): never {
  throw new Error(`${what}: ${values.map((value) => JSON.stringify(value)).join(', ')}`);
}

type Outcome = 'whole' | 'refused' | 'cut';

/** Holds what a client got against what the upstream said to its very request. */
function judge({ path, reading }: Case, answer: LlhttpMessage): Outcome {
  if (!answer.complete) {
    if (reading.outcome === 'whole') fail('cut off, though whole', answer);
    if (answer.headComplete && (answer.status !== reading.status || !reading.body.startsWith(answer.body)))
      fail('other bytes', answer, reading);
    return 'cut';
  }
  if (reading.outcome === 'whole') {
    const mark = fieldOf(reading.head?.fields ?? [], 'x-mark');
    if (answer.status !== reading.status || answer.body !== reading.body) fail('another response', answer, reading);
    if (fieldOf(answer.fields, 'x-mark') !== mark) fail('the response to another request', answer, path);
    return 'whole';
  }
  if (!GATEWAYS_OWN.has(answer.status) || fieldOf(answer.fields, 'x-mark') !== undefined) fail('taken for whole', answer, reading);
  return 'refused';
}

async function exchange(connection: RawConnection, cases: readonly Case[]): Promise<readonly Outcome[]> {
  connection.forget();
  const lines = cases.map(({ path, toHead }) => `${toHead ? 'HEAD' : 'GET'} ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`);
  connection.socket.write(lines.join(''), 'latin1');
  const answers = await connection.until((received, closed) => {
    const parser = new LlhttpParser('response', { toHead: (ordinal) => cases[ordinal]?.toHead === true });
    parser.execute(received);
    parser.free();
    if (parser.error !== undefined) fail('the client got no HTTP', parser.error, received.toString('latin1'));
    const finals = parser.messages.filter(({ status, headComplete }) => !headComplete || status >= 200);
    return closed || finals.filter(({ complete }) => complete).length === cases.length ? finals : undefined;
  });
  if (answers.length > cases.length) fail('more answers than requests', answers);
  const outcomes = answers.map((answer, at) => judge(cases[at] as Case, answer));
  if (outcomes.length < cases.length && outcomes.at(-1) !== 'cut') {
    // A response that breaks before its head went out may leave nothing but the end of the connection.
    if (cases[outcomes.length]?.reading.outcome === 'whole') fail('no answer', cases[outcomes.length]?.text);
  }
  return outcomes;
}

/** A gateway and its upstream, asked by several clients. */
class Rig {
  readonly counts: Record<Outcome, number> = { whole: 0, refused: 0, cut: 0 };
  given = 0;
  failure: Error | undefined;
  private ordinal = 0;
  private readonly test: TestGateway;
  private readonly upstream: ScriptedUpstream;

  constructor(test: TestGateway, upstream: ScriptedUpstream) {
    this.test = test;
    this.upstream = upstream;
  }

  async client(seed: number, inputs: number): Promise<void> {
    let connection: RawConnection | undefined;
    while (this.given < inputs && this.failure === undefined) {
      const mine = this.ordinal++;
      const draw = drawFor(seed, mine);
      const cases = Array.from({ length: 1 + draw.below(3) }, (_, at) => makeCase(draw, `/a${mine}-${at}`));
      for (const { path, script } of cases) this.upstream.scripts.set(path, script);
      try {
        connection ??= await RawConnection.open(this.test.ingress);
        for (const outcome of await exchange(connection, cases)) this.counts[outcome]++;
        if (this.upstream.errors.length > 0) throw new Error(this.upstream.errors.join('; '));
      } catch (error) {
        const received = connection?.received.toString('latin1');
        this.failure ??= new FuzzFailure(
          seed,
          mine,
          `${error}; received: ${JSON.stringify(received)}`,
          cases.map(({ text }) => text).join('|'),
        );
      }
      for (const { path } of cases) this.upstream.scripts.delete(path);
      this.given += cases.length;
      if (connection?.closed === true) {
        connection.destroy();
        connection = undefined;
      }
      // Nobody asks for them.
      this.test.events.length = 0;
      this.test.log.length = 0;
    }
    connection?.destroy();
  }

  async close(): Promise<void> {
    await this.test.gateway.close(0);
    await this.upstream.origin.close();
  }
}

/**
 * Has an upstream answer requests, on connections that are kept, with about `inputs` responses, whole ones and such with mistakes: each client gets the
 * whole response to its own request, an answer of the gateway, or a connection that is cut.
 * @throws FuzzFailure at the first that gets anything else.
 */
export async function fuzzAnswers(seed: number, inputs: number): Promise<AnswerFigures> {
  const upstream = await startScriptedUpstream();
  const rig = new Rig(await startTestGateway(everythingTo(clusterAt(upstream.origin.port))), upstream);
  await Promise.all(Array.from({ length: CLIENTS }, () => rig.client(seed, inputs)));
  await rig.close();
  if (rig.failure !== undefined) throw rig.failure;
  return { inputs: rig.given, ...rig.counts };
}
