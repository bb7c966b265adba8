import { Agent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { BODY_SIZES, type BodySize } from './body-size.ts';
import { loadRequests } from './load.ts';
import type { RunningCandidate } from './measure.ts';
import { SEEN_PATH } from './nginx.ts';
import { CUTOFF, OFFSET } from './shop.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly version: string | undefined;
  readonly cookies: readonly string[];
  readonly cacheControl: string | undefined;
}

/** Sends a head as the load does (its lines, on a connection of its own agent) and reads the answer. */
function send(agent: Agent | SecureAgent, port: number, text: string): Promise<Answer> {
  const [head = '', sent] = text.split('\r\n\r\n');
  const [, ...lines] = head.split('\r\n');
  const method = head.slice(0, head.indexOf(' '));
  const request = agent instanceof SecureAgent ? secureRequest : plainRequest;
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
  return new Promise((resolve, reject) => {
    request({ agent, method, port, host: '127.0.0.1', path: head.split(' ')[1], headers }, (response) => {
      const version = response.headers['x-version'];
      let body = '';
      response.setEncoding('latin1').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body,
          version: typeof version === 'string' ? version : undefined,
          cookies: response.headers['set-cookie'] ?? [],
          cacheControl: response.headers['cache-control'],
        }),
      );
    })
      .once('error', reject)
      .end(sent);
  });
}

const ID = /\bperch=([0-9a-f-]+)/;

function expectedVersion(id: string | undefined): 'canary' | 'stable' {
  const bucket = id === undefined ? undefined : bucketOf(id, OFFSET);
  return bucket !== undefined && bucket < CUTOFF ? 'canary' : 'stable';
}

/**
 * Proxies that do different things cannot be compared: before any measurement, each must answer all requests of the load as
 * arithmetic says. Known visitors by their bucket, new ones by the id they are given, with `Cache-Control: private`; without the scheme
 * all stable; whole bodies.
 * @throws Error naming the first request that was answered otherwise.
 */
export async function verifyCandidate({ candidate, proxy }: RunningCandidate, size: BodySize): Promise<void> {
  const { bytes: due, tls } = BODY_SIZES[size];
  const kept = { keepAlive: true, maxSockets: 1 };
  const agent = tls ? new SecureAgent({ ...kept, rejectUnauthorized: false }) : new Agent(kept);
  const port = tls ? proxy.tlsPort : proxy.port;
  try {
    for (const head of loadRequests(size)) {
      const { status, body, version, cookies, cacheControl } = await send(agent, port, head);
      const held = ID.exec(head)?.[1];
      const issued = ID.exec(cookies[0] ?? '')?.[1];
      const expected = candidate.scheme ? expectedVersion(held ?? issued) : 'stable';
      const issues = candidate.scheme && held === undefined;
      const issuedAsDue = cookies.length === (issues ? 1 : 0) && cacheControl === (issues ? 'private' : undefined);
      if (status !== 200 || body.length !== due || version !== expected || !issuedAsDue) {
        const answer = `${status} from ${version} with ${body.length} bytes, ${cookies.length} cookies and Cache-Control ${cacheControl}`;
        throw new Error(`${candidate.name} answered ${answer}; due: 200 from ${expected} with ${due} bytes. The request:\n${head}`);
      }
    }
  } finally {
    agent.destroy();
  }
}

/**
 * What a client cannot see: each proxy must draw a request id for each request and send it upstream, the one that a new visitor's
 * cookie gets, over connections that it keeps.
 * @throws Error naming the first request that reached the origin otherwise.
 */
export async function verifyUpstream({ candidate, proxy }: RunningCandidate): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const seen = new Set<string>();
  let kept = 0;
  try {
    const heads = loadRequests('1k').map((head) => head.replace(BODY_SIZES['1k'].path, SEEN_PATH));
    for (const head of heads) {
      const { body, cookies } = await send(agent, proxy.port, head);
      const [id = '', requests] = body.split(' ');
      const issued = ID.exec(cookies[0] ?? '')?.[1];
      if (!/^[0-9a-f-]{32,36}$/.test(id) || seen.has(id) || (issued !== undefined && issued !== id)) {
        throw new Error(`${candidate.name} sent the request id "${id}" upstream and issued ${issued}. The request:\n${head}`);
      }
      seen.add(id);
      if (Number(requests) > 1) kept++;
    }
    if (kept < heads.length * 0.9) throw new Error(`${candidate.name} sent only ${kept} of ${heads.length} requests on a kept connection`);
  } finally {
    agent.destroy();
  }
}
