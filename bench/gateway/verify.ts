import { Agent, request } from 'node:http';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import type { RunningCandidate } from './measure.ts';

interface Answer {
  readonly status: number;
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
      response.resume().once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
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

function expectedVersion(id: string | undefined, cutoff: number): 'canary' | 'stable' {
  const bucket = id === undefined ? undefined : bucketOf(id, 0);
  return bucket !== undefined && bucket < cutoff ? 'canary' : 'stable';
}

/**
 * Proxies that do different things cannot be compared: before any measurement, each must answer the load's requests as
 * arithmetic says. Known visitors by their bucket, new ones by the id they are given; without the scheme all stable.
 * @throws Error naming the first request that was answered otherwise.
 */
export async function verifyCandidate({ candidate, proxy }: RunningCandidate, heads: readonly string[], cutoff: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const head of heads) {
      const { status, version, cookies } = await send(agent, proxy.port, head);
      const held = ID.exec(head)?.[1];
      const issued = ID.exec(cookies[0] ?? '')?.[1];
      const expected = candidate.scheme ? expectedVersion(held ?? issued, cutoff) : 'stable';
      const issuedAsDue = cookies.length === (candidate.scheme && held === undefined ? 1 : 0);
      if (status !== 200 || version !== expected || !issuedAsDue) {
        throw new Error(
          `${candidate.name} answered ${status} from ${version} with ${cookies.length} cookies; due: 200 from ${expected}. The request:\n${head}`,
        );
      }
    }
  } finally {
    agent.destroy();
  }
}
