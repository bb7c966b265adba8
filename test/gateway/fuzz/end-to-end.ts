import { clusterAt, everythingTo, startTestGateway, type TestGateway } from '../running-gateway.ts';
import { answersIn, foretell, isOver, judge, staysOpen } from './conversation.ts';
import type { Draw } from './draw.ts';
import { drawFor, FuzzFailure } from './fuzz-parsers.ts';
import { requestText } from './messages.ts';
import { mutate } from './mutate.ts';
import { RawConnection } from './raw-connection.ts';
import { type SeeingUpstream, startSeeingUpstream } from './seeing-upstream.ts';
import { segments } from './segments.ts';

/** Clients at once. */
const CLIENTS = 16;
/** Scripts on one connection at most. */
const SCRIPTS = 30;

/** What came of a run. */
export interface EndToEndFigures {
  /** Requests, right or wrong, that clients sent. */
  readonly inputs: number;
  readonly connections: number;
  /** Whole requests that the upstream saw, each the one that the client sent and got the answer to. */
  readonly forwarded: number;
}

/** Some requests in a row, whole ones beside one with mistakes; and how many. */
function script(draw: Draw, mark: string): { readonly text: string; readonly count: number } {
  const count = 1 + draw.below(4);
  const wrong = draw.below(count + 1);
  let text = '';
  for (let at = 0; at < count; at++) {
    const request = requestText(draw, `${mark}-${at}`);
    text += at === wrong ? mutate(request, requestText(draw, `${mark}-o`), draw) : request;
  }
  return { text, count };
}

/** A gateway, an upstream, and what is said between them. */
class Rig {
  connections = 0;
  readonly test: TestGateway;
  readonly upstream: SeeingUpstream;

  constructor(test: TestGateway, upstream: SeeingUpstream) {
    this.test = test;
    this.upstream = upstream;
  }

  /** Says `text` on the client's connection, or on a new one. Gives the connection where it may be used again. @throws Error that says what is wrong. */
  async say(text: string, draw: Draw, kept: RawConnection | undefined): Promise<RawConnection | undefined> {
    const bytes = Buffer.from(text, 'latin1');
    const conversation = foretell(bytes);
    const stays = staysOpen(conversation);
    if (kept === undefined) this.connections++;
    const client = kept ?? (await RawConnection.open(this.test.ingress));
    client.forget();
    const pieces = segments(bytes, draw, 40);
    let over = false;
    try {
      for (const piece of pieces) {
        client.socket.write(piece);
        if (!draw.oneIn(3)) await new Promise(setImmediate);
      }
      if (!stays) client.socket.end();
      const answers = await client.until((received, closed) => {
        if (!closed && !stays) return undefined;
        const found = answersIn(received, conversation, closed);
        return closed || isOver(found) || found.length >= conversation.expected.length ? found : undefined;
      });
      judge(conversation, answers, this.upstream.seen);
      over = isOver(answers);
    } catch (error) {
      client.destroy();
      const received = client.received.toString('latin1');
      const sizes = pieces.map(({ length }) => length).join(', ');
      throw new Error(
        `${error instanceof Error ? error.message : error}\nin pieces of ${sizes} bytes; received: ${JSON.stringify(received)}`,
      );
    }
    if (this.upstream.errors.length > 0) throw new Error(`the upstream: ${this.upstream.errors.splice(0).join('; ')}`);
    if (stays && !over && !client.closed) return client;
    client.destroy();
    return undefined;
  }

  async close(): Promise<void> {
    await this.test.gateway.close(0);
    await this.upstream.origin.close();
  }
}

async function startRig(): Promise<Rig> {
  const upstream = await startSeeingUpstream();
  return new Rig(await startTestGateway(everythingTo(clusterAt(upstream.origin.port))), upstream);
}

/**
 * Sends about `inputs` requests, whole ones and such with mistakes in a row on connections that are kept, through a real gateway to an upstream that
 * takes for requests what llhttp takes for them, and pairs what it saw and answered with what was sent.
 * @throws FuzzFailure at the first that does not pair.
 */
export async function fuzzEndToEnd(
  seed: number,
  inputs: number,
  progress: (done: number) => void = () => undefined,
): Promise<EndToEndFigures> {
  const rig = await startRig();
  let ordinal = 0;
  let sent = 0;
  let failure: Error | undefined;
  const client = async (): Promise<void> => {
    let connection: RawConnection | undefined;
    for (let left = SCRIPTS; sent < inputs && failure === undefined; left--) {
      const mine = ordinal++;
      const draw = drawFor(seed, mine);
      const { text, count } = script(draw, `e${mine}`);
      sent += count;
      try {
        connection = await rig.say(text, draw, connection);
      } catch (error) {
        failure ??= new FuzzFailure(seed, mine, String(error), text);
        return;
      }
      if (left === 0) {
        connection?.destroy();
        connection = undefined;
        left = SCRIPTS;
      }
      // Nobody asks for them.
      rig.test.events.length = 0;
      rig.test.log.length = 0;
      if (mine % 1000 === 0) progress(sent);
    }
    connection?.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const left = [...rig.upstream.seen.values()];
  const forwarded = rig.upstream.requests();
  await rig.close();
  if (failure !== undefined) throw failure;
  if (left.length > 0) throw new Error(`requests that nobody got the answer to: ${JSON.stringify(left.slice(0, 3))}`);
  return { inputs: sent, connections: rig.connections, forwarded };
}
