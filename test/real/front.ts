import { Agent, request } from 'node:http';
import { expect } from 'vitest';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { inParallel, type Visitor } from '../harness/visitor.ts';
import type { ReleaseHandle } from './cluster-release.ts';
import { ownAddress } from './gateway-api-scene.ts';
import { deviation, versionsExpected } from './mesh-visitors.ts';

/** Bound on the share of visitors, in standard deviations of the binomial distribution with the cutoff's probability. */
const SDS = 3.3;

/** What of a request the front hands on to the service behind it, by the path. */
const HANDED_ON: Readonly<Record<string, readonly string[]>> = {
  '/both': ['baggage', 'cookie'],
  '/told': ['baggage'],
  '/known': ['cookie'],
  '/neither': [],
  '/pinned': ['baggage', 'cookie', 'x-pin'],
};

/**
 * A service that browsers reach: each page is what the service `host` says, which it asks at a port of loopback, where its sidecar or a waypoint is. `keepAlive`:
 * by connections that stay open.
 */
export async function startFront(host: string, port: () => number, keepAlive = true): Promise<VersionServer> {
  const agent = new Agent({ keepAlive, maxSockets: 32 });
  const server = await startVersion(
    'front',
    (incoming, answer) => {
      const names = HANDED_ON[incoming.url ?? ''] ?? [];
      const handedOn = names.flatMap((name) => (incoming.headers[name] === undefined ? [] : [[name, incoming.headers[name]] as const]));
      const headers = { ...Object.fromEntries(handedOn), host };
      const outgoing = request({ host: '127.0.0.1', port: port(), path: '/', agent, headers }, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      });
      outgoing.on('error', () => answer.headersSent || answer.writeHead(502).end());
      outgoing.end();
    },
    ownAddress(),
  );
  return {
    port: server.port,
    close: () => {
      agent.destroy();
      return server.close();
    },
  };
}

/** The version that each visitor sees, which is one, whichever of the two the front hands on; on the first page it is baggage. */
export async function versionsBehind(visitors: readonly Visitor[]): Promise<string[]> {
  return await inParallel(visitors, 24, async (visitor) => {
    const pages: string[] = [];
    for (const path of ['/told', '/known', '/both']) {
      const { status, body } = await visitor.visit(path);
      expect(status).toBe(200);
      pages.push(body);
    }
    expect(new Set(pages).size).toBe(1);
    return pages[0] ?? '';
  });
}

/** Behind a front that hands on neither all are on stable, and what matches more of a request than the release does stays first. */
export async function untoldAreOnStable(visitors: readonly Visitor[]): Promise<void> {
  const seen = await inParallel(visitors, 24, async (visitor) => [
    (await visitor.visit('/neither')).body,
    (await visitor.visit('/pinned', { 'x-pin': 'old' })).body,
  ]);
  expect(seen).toEqual(visitors.map(() => ['v1', 'beside']));
}

/** Visitors who come at each of these steps of a release: the shares are those that were asked for, nobody is wrong, and nobody flips back. */
export async function comeAtEachStep(visitors: readonly Visitor[], release: ReleaseHandle, weights: readonly number[]): Promise<void> {
  let before: readonly string[] = [];
  for (const [index, weight] of weights.entries()) {
    if (index > 0) await release.ask('promote');
    await release.reaches(`Paused ${weight} %`);
    const now = await versionsBehind(visitors);
    expect(new Set(visitors.map((visitor) => visitor.cookies.get('perch'))).size).toBe(visitors.length);
    expect(now).toEqual(await versionsExpected(visitors, release));
    expect(deviation(now, ((await release.status())?.cutoff ?? 0) / 4096)).toBeLessThan(SDS);
    expect(now.filter((version, at) => version === 'v1' && before[at] === 'v2')).toEqual([]);
    before = now;
  }
}
