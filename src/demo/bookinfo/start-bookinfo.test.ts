import { readdirSync, readFileSync } from 'node:fs';
import { request as connect, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { hasErrors } from '../../core/diagnostics/diagnostic.ts';
import type { ServiceEntry } from '../../core/istio/resources.ts';
import { parseManifests } from '../../core/source/manifests.ts';
import { BOOKINFO_PORTS, type Bookinfo, FREE_PORTS, startBookinfo } from './start-bookinfo.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A mesh with one rule: requests in absolute form go where the table says for their host. */
async function meshProxy(table: () => Readonly<Record<string, number>>): Promise<number> {
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '');
    const upstream = connect(
      { host: '127.0.0.1', port: table()[url.host], path: url.pathname, method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    upstream.on('error', () => outgoing.writeHead(503).end());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function bookinfoWith(reviews: 'reviews-v1' | 'reviews-v2' | 'reviews-v3'): Promise<Bookinfo> {
  let bookinfo: Bookinfo | undefined;
  const port = await meshProxy(() => ({
    'details:9080': bookinfo?.ports['details-v1'] ?? 0,
    'ratings:9080': bookinfo?.ports['ratings-v1'] ?? 0,
    'reviews:9080': bookinfo?.ports[reviews] ?? 0,
  }));
  bookinfo = await startBookinfo({ ports: FREE_PORTS, proxy: { host: '127.0.0.1', port }, perchApi: undefined });
  cleanups.push(() => bookinfo?.close());
  return bookinfo;
}

test.each([
  ['reviews-v1', 'v1', undefined],
  ['reviews-v2', 'v2', 'stars black'],
  ['reviews-v3', 'v3', 'stars red'],
] as const)('all six, called through the mesh: with %s the page shows %s', async (workload, version, stars) => {
  const bookinfo = await bookinfoWith(workload);
  const page = await (await fetch(`http://127.0.0.1:${bookinfo.ports['productpage-v1']}/productpage`)).text();
  expect(page).toContain(`reviews ${version}<`);
  expect(page).toContain(`served by ${workload}-demo`);
  expect(page).toContain('William Shakespeare');
  if (stars === undefined) expect(page).not.toContain('★');
  else expect(page.split(stars)).toHaveLength(3);
});

test('a port that is taken refuses the start, and leaves nothing running', async () => {
  const first = await startBookinfo({ ports: FREE_PORTS, proxy: undefined, perchApi: undefined });
  cleanups.push(() => first.close());
  const free = await startBookinfo({ ports: FREE_PORTS, proxy: undefined, perchApi: undefined });
  await free.close();
  const ports = { ...free.ports, 'productpage-v1': first.ports['productpage-v1'] };
  await expect(startBookinfo({ ports, proxy: undefined, perchApi: undefined })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const again = await startBookinfo({ ports: free.ports, proxy: undefined, perchApi: undefined });
  cleanups.push(() => again.close());
  expect(again.ports).toEqual(free.ports);
});

describe('the examples', () => {
  function objectsOf(directory: 'article' | 'bookinfo') {
    const root = new URL(`../../../examples/${directory}/`, import.meta.url);
    const files = readdirSync(root).filter((file) => file.endsWith('.yaml'));
    return files.flatMap((file) => {
      const { objects, diagnostics } = parseManifests(readFileSync(new URL(file, root), 'utf8'), file);
      expect(hasErrors(diagnostics)).toBe(false);
      return objects.map(({ object }) => object);
    });
  }

  const portsIn = (objects: ReturnType<typeof objectsOf>) =>
    Object.fromEntries(
      objects
        .filter((object): object is ServiceEntry => object.kind === 'ServiceEntry')
        .flatMap(({ spec }) => spec.endpoints ?? [])
        .map(({ labels, ports }) => [`${labels?.['app']}-${labels?.['version']}`, ports?.['http']]),
    );

  test('name the ports where Bookinfo listens by default', () => {
    expect(portsIn(objectsOf('bookinfo'))).toEqual(BOOKINFO_PORTS);
    expect(BOOKINFO_PORTS).toMatchObject(portsIn(objectsOf('article')));
    expect(Object.keys(portsIn(objectsOf('article')))).toEqual(['reviews-v1', 'reviews-v2', 'reviews-v3']);
  });
});
