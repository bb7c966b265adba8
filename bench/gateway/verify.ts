import { Agent, request } from 'node:http';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { BODY_SIZES, type BodySize } from './body-size.ts';
import { loadRequests } from './load.ts';
import type { RunningCandidate } from './measure.ts';
import { CUTOFF, OFFSET } from './shop.ts';

interface Answer {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  readonly version: string | undefined;
  readonly cookies: readonly string[];
}

/** Sends a head as the load does (its lines, on a connection of its own agent) and reads the answer. */
function send(agent: Agent, port: number, head: string): Promise<Answer> {
  const [, ...lines] = head.trimEnd().split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
  return new Promise((resolve, reject) => {
    request({ agent, port, host: '127.0.0.1', path: head.split(' ')[1], headers }, (response) => {
      const version = response.headers['x-version'];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          bytes,
          version: typeof version === 'string' ? version : undefined,
          cookies: response.headers['set-cookie'] ?? [],
        }),
      );
    })
      .once('error', reject)
      .end();
  });
}

const ID = /\bperch=([0-9a-f-]+)/;

function expectedVersion(id: string | undefined): 'canary' | 'stable' {
  const bucket = id === undefined ? undefined : bucketOf(id, OFFSET);
  return bucket !== undefined && bucket < CUTOFF ? 'canary' : 'stable';
}

/**
 * Proxies that do different things cannot be compared: before any measurement, each must answer all requests of the load as
 * arithmetic says. Known visitors by their bucket, new ones by the id they are given; without the scheme all stable; whole bodies.
 * @throws Error naming the first request that was answered otherwise.
 */
export async function verifyCandidate({ candidate, proxy }: RunningCandidate, size: BodySize): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const due = BODY_SIZES[size].bytes;
  try {
    for (const head of loadRequests(size)) {
      const { status, bytes, version, cookies } = await send(agent, proxy.port, head);
      const held = ID.exec(head)?.[1];
      const issued = ID.exec(cookies[0] ?? '')?.[1];
      const expected = candidate.scheme ? expectedVersion(held ?? issued) : 'stable';
      const issuedAsDue = cookies.length === (candidate.scheme && held === undefined ? 1 : 0);
      if (status !== 200 || bytes !== due || version !== expected || !issuedAsDue) {
        const answer = `${status} from ${version} with ${bytes} bytes and ${cookies.length} cookies`;
        throw new Error(`${candidate.name} answered ${answer}; due: 200 from ${expected} with ${due} bytes. The request:\n${head}`);
      }
    }
  } finally {
    agent.destroy();
  }
}
