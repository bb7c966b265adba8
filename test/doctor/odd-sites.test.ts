import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { SiteUnreachable } from '../../src/cli/probing/probe-site.ts';
import { isSynthetic } from '../../src/core/evidence/synthetic-visitor.ts';
import { diagnoseSite } from '../../src/core/probe/diagnose-site.ts';
import { compileCapture } from '../../src/core/routing/capture-pattern.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { codesOf, examine, probe } from './doctor.ts';

const servers: VersionServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function site(answer: (request: IncomingMessage, response: ServerResponse) => void, path = '/'): Promise<URL> {
  const server = await startVersion('', answer);
  servers.push(server);
  return new URL(path, `http://127.0.0.1:${server.port}/`);
}

const FEW = { visitors: 5, requests: 2 };

test('a site that is down', async () => {
  const url = await site((_, response) => response.end());
  await servers.splice(0)[0]?.close();
  await expect(probe(url, FEW)).rejects.toThrow(
    new SiteUnreachable(`${url.href} cannot be probed: nothing listens there; start the site, or correct the port`),
  );
});

test('one that answers 404, or fails each time', async () => {
  let asked = 0;
  const missing = await site((_, response) => {
    asked++;
    response.writeHead(404).end();
  });
  await expect(probe(missing, FEW)).rejects.toThrow(/cannot be probed: it answers 404/);
  expect(asked).toBe(1);
  const failing = await site((_, response) => response.writeHead(503).end());
  await expect(probe(failing, FEW)).rejects.toThrow(/cannot be probed: it answers 503/);
});

test('one that never ends its answers', async () => {
  const url = await site((_, response) => response.writeHead(200).write('begun'));
  await expect(probe(url, { ...FEW, answerMs: 30 })).rejects.toThrow(/no whole answer in 0.03 s/);
});

test('one that redirects to another origin is left alone there: not one request', async () => {
  let strangers = 0;
  const stranger = await site((_, response) => {
    strangers++;
    response.end('never');
  });
  const url = await site((_, response) => response.writeHead(302, { location: stranger.href }).end());
  await expect(probe(url, FEW)).rejects.toThrow(`it redirects to ${stranger.origin}, another origin`);
  expect(strangers).toBe(0);
});

test('redirects on the same origin are followed, with the cookies that they set', async () => {
  const url = await site(({ url: path, headers }, response) => {
    if (path === '/') response.writeHead(302, { location: '/home', 'set-cookie': 'id=0b5e2c0c-5a0e-4d5c-9b7e-0123456789ab; Path=/' }).end();
    else response.end(headers.cookie ?? 'nobody');
  });
  const { observations } = await probe(url, FEW);
  expect(observations.visitors[0]?.map(({ body }) => body.bytes)).toEqual([39, 39]);
  const circle = await site((_, response) => response.writeHead(302, { location: '/' }).end());
  await expect(probe(circle, FEW)).rejects.toThrow('it redirects more than 5 times');
});

test('of a huge page the first 256 KiB are read, and no more is waited for', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const url = await site((_, response) => {
    const write = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', write);
    write();
  });
  const { observations } = await probe(url, { visitors: 2, requests: 2 });
  expect(observations.visitors.flat().map(({ body }) => body.bytes)).toEqual(Array(4).fill(256 * 1024));
});

test('a site that asks for fewer requests is left alone, and what was seen is told', async () => {
  let asked = 0;
  const url = await site((_, response) => response.writeHead(++asked > 20 ? 429 : 200).end('v1'));
  const { observations, stopped, sent } = await probe(url, { visitors: 50, requests: 2 });
  expect(stopped).toBe('the site asked for fewer requests (429)');
  expect([asked, sent]).toEqual([21, 21]);
  expect(diagnoseSite(observations, { source: { by: 'guess' } }).stickiness.verdict).toBe('oneVersion');
});

test('one that breaks during the probe is left alone after ten failures; they are a finding', async () => {
  let asked = 0;
  const url = await site((request, response) => {
    if (++asked > 20) request.socket.destroy();
    else response.end('v1');
  });
  const { observations, stopped } = await probe(url, { visitors: 50, requests: 2 });
  expect(stopped).toBe('10 requests failed in a row');
  expect(diagnoseSite(observations, { source: { by: 'guess' } }).findings).toMatchObject([
    { code: 'PERCH5041', message: '10 of 29 requests failed (the connection was cut)' },
  ]);
});

test('what was cut because the probe ends is no failure of the site', async () => {
  const url = await site((_, response) => setTimeout(() => response.end('v1'), 20));
  const ending = new AbortController();
  const { observations } = await probe(url, {
    parallel: 5,
    signal: ending.signal,
    onProgress: (sent) => {
      if (sent === 13) setTimeout(() => ending.abort(), 2);
    },
  });
  expect(diagnoseSite(observations, { source: { by: 'guess' } }).failures).toMatchObject({ failed: 0 });
});

test('a connection that the site closes between two requests is no failure', async () => {
  // The answer does not say so, and the end of the connection meets the next request.
  const url = await site((request, response) => {
    response.end('v1');
    request.socket.once('data', () => request.socket.resetAndDestroy());
  });
  const { observations } = await probe(url, { visitors: 5, requests: 3 });
  expect(observations.visitors.flat().map(({ status }) => status)).toEqual(Array(15).fill(200));
});

test('the time for all of it, and the wish to end, keep what was seen', async () => {
  const url = await site((_, response) => response.end('v1'));
  const timed = await probe(url, { visitors: 10_000, totalMs: 200 });
  expect(timed.stopped).toBe('time was over (--max-time 0.2s)');
  const ending = new AbortController();
  const interrupted = await probe(url, {
    visitors: 10_000,
    signal: ending.signal,
    onProgress: (sent) => {
      if (sent === 30) ending.abort();
    },
  });
  expect(interrupted).toMatchObject({ stopped: 'it was interrupted', sent: 30 });
  expect(interrupted.observations.visitors.flat().length).toBeGreaterThan(20);
});

test('requests are synthetic, at most five at a time, and no more a second than asked for', async () => {
  const times: number[] = [];
  let [now, most] = [0, 0];
  const url = await site(({ headers }, response) => {
    times.push(performance.now());
    most = Math.max(most, ++now);
    expect(isSynthetic(headers['user-agent'])).toBe(true);
    setTimeout(() => {
      now--;
      response.end('v1');
    }, 2);
  });
  const { sent } = await probe(url, { visitors: 8, requests: 2, rate: 200, parallel: 5 });
  expect(sent).toBe(times.length);
  expect(most).toBeLessThanOrEqual(5);
  // Three that belong together may go out at once, so the last are that much ahead of the pace at most.
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(((sent - 4) * 1000) / 200);
});

test('versions in the page: by a pattern; without it they cannot be told from what differs for everybody', async () => {
  let asked = 0;
  const random = seededRandom(51);
  const url = await site((_, response) =>
    response.end(`<p data-version="v${random() < 0.3 ? 2 : 1}">visitor number ${++asked}, welcome to the shop</p>`),
  );
  const capture = compileCapture('data-version="(v\\d)"');
  if (typeof capture !== 'function') throw new Error(capture.problem);
  const told = await examine(url, { by: 'pattern', pattern: 'data-version' }, { capture, visitors: 40, requests: 3 });
  expect(told.stickiness).toMatchObject({ verdict: 'notSticky', versions: [{ version: 'v1' }, { version: 'v2' }] });
  const untold = await examine(url, { by: 'guess' }, { visitors: 40, requests: 3 });
  expect(codesOf(untold)).toEqual(['PERCH5040']);
  const odd = await examine(url, { by: 'header', name: 'x-version' }, { visitors: 5, requests: 2 });
  expect(codesOf(odd)).toEqual(['PERCH5040']);
});

test('a site that makes its visitor id of the request id that a client sends', async () => {
  let made = 0;
  const url = await site(({ headers }, response) => {
    const id = headers['x-request-id'] ?? `0b5e2c0c-5a0e-4d5c-9b7e-${String(++made).padStart(12, '0')}`;
    response.setHeader('set-cookie', `id=${id}; Path=/; Max-Age=34560000`).end('v1');
  });
  expect((await examine(url, { by: 'guess' }, FEW)).findings).toMatchObject([{ code: 'PERCH5030', object: 'cookie id' }]);
});
