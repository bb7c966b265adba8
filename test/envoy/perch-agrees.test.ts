import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VirtualService } from '../../src/core/istio/resources.ts';
import { compileRouting } from '../../src/core/routing/compile.ts';
import { normalizePath } from '../../src/core/routing/path.ts';
import type { RequestHead, RouteTable } from '../../src/core/routing/selection.ts';
import type { Offset } from '../../src/core/visitor/bucket.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { type RunningEnvoy, startEnvoy } from './envoy-process.ts';
import { envoyRoutes } from './istio-routes.ts';
import { type EnvoyRoute, httpListener } from './static-config.ts';
import { shopObjects, wovenAtEdge, wovenInside } from './woven-shop.ts';

/** A request, lines as they go on the wire. */
interface Sent {
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
/** Values around the cutoffs below, and any others. */
const digits = fc.oneof(hex(3), fc.constantFrom('000', '199', '19a', '19b', '7ff', '800', 'ffe', 'fff'));
const lastGroup = fc.array(digits, { minLength: 4, maxLength: 4 }).map((triples) => triples.join(''));
const id = fc.tuple(hex(8), hex(4), lastGroup).map(([first, second, last]) => `${first}-${second}-4abc-8def-${last}`);
/** What looks like an id and is none, or one that only some parsers would take. */
const oddId = fc.oneof(
  id.map((text) => text.toUpperCase()),
  id.map((text) => text.slice(0, -1)),
  id.map((text) => `${text}0`),
  id.map((text) => text.replaceAll('-', '')),
  id.map((text) => text.slice(-13)),
  id.map((text) => `"${text}"`),
  id.map((text) => `${text} `).map((text) => `${text}x`),
  fc.constantFrom('-', 'x', '--000000000000', 'g-000000000000', '000000000000'),
);
const someId = fc.oneof({ weight: 3, arbitrary: id }, { weight: 1, arbitrary: oddId });
const pair = fc.oneof(
  someId.map((value) => `perch=${value}`),
  someId.map((value) => `xperch=${value}`),
  someId.map((value) => `Perch=${value}`),
  someId.map((value) => `perch =${value}`),
  fc.constantFrom('theme=dark', 'perch', 'perch=', 'a=b=c', 'q="x; y"'),
);
const cookie = fc
  .tuple(fc.array(pair, { minLength: 1, maxLength: 4 }), fc.constantFrom('; ', ';', ';  ', ',', ' ; '))
  .map(([pairs, separator]) => pairs.join(separator));
const member = fc
  .tuple(
    fc.constantFrom('perch.shop', 'xperch.shop', 'perch-shop', 'app'),
    fc.constantFrom('=canary', '=stable', '=canaryx', '= canary', '=canary;p=1'),
  )
  .map((parts) => parts.join(''));
const baggage = fc
  .tuple(fc.array(member, { minLength: 1, maxLength: 3 }), fc.constantFrom(',', ', ', ' ,', ',  '))
  .map(([members, separator]) => members.join(separator));

function lines(name: string, value: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<readonly (readonly [string, string])[]> {
  return fc.array(
    value.map((text) => [name, text] as const),
    { maxLength },
  );
}

const sent: fc.Arbitrary<Sent> = fc.record({
  path: fc.constantFrom(
    '/shop',
    '/shop/a?b=c',
    '/shopping',
    '/basket',
    '/basket?x=/shop',
    '/basket/1',
    '/other',
    '/page',
    '/',
    '/nowhere',
    '/a/../shop',
    '/%73hop',
  ),
  headers: fc
    .tuple(
      lines('cookie', cookie, 2),
      lines('baggage', baggage, 2),
      lines(
        'accept',
        fc.constantFrom('text/html', 'text/html,*/*;q=0.8', 'application/xml, text/html', '*/*', 'TEXT/HTML', 'image/png'),
        2,
      ),
      lines('sec-fetch-mode', fc.constantFrom('navigate', 'no-cors', 'Navigate'), 1),
      // Always one: without it Envoy draws one, and nobody could foretell the route.
      someId.map((value) => [['x-request-id', value] as const]),
    )
    .map((groups) => groups.flat()),
});

/** The name of the rule that Envoy took, as it tells; undefined for 404. */
function askEnvoy(agent: Agent, port: number, { path, headers }: Sent): Promise<string | undefined> {
  const raw = [['host', 'shop'] as const, ...headers].flat();
  return new Promise((resolve, reject) => {
    request({ agent, host: '127.0.0.1', port, path, headers: raw }, (response) => {
      const rule = response.headers['x-route'];
      response.resume().once('end', () => resolve(response.statusCode === 404 ? undefined : String(rule)));
    })
      .once('error', reject)
      .end();
  });
}

function askPerch(table: RouteTable, kind: 'ingress' | 'mesh', { path, headers }: Sent): string | undefined {
  const head: RequestHead = {
    method: 'GET',
    path: normalizePath(path) ?? '',
    authority: 'shop',
    scheme: 'http',
    lines: (name) => headers.filter(([header]) => header === name).map(([, value]) => value),
  };
  const selection = table.select(kind, kind === 'ingress' ? 80 : 8080, undefined, head, 0.5);
  return 'rule' in selection ? selection.rule : undefined;
}

function tableOf(routes: VirtualService): RouteTable {
  const { table, diagnostics } = compileRouting(shopObjects(routes));
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new Error(JSON.stringify(diagnostics));
  return table;
}

/** The routes with an answer of Envoy's own in place of their destination: which rule matches is all that is asked. */
function answering(routes: VirtualService): readonly EnvoyRoute[] {
  return envoyRoutes(routes).map(({ name, match }) => ({
    ...(name === undefined ? {} : { name }),
    match,
    direct_response: { status: 200 },
  }));
}

const EDGES: readonly (readonly [cutoff: number, offset: Offset])[] = [
  [0, 0],
  [0x19a, 0],
  [0x800, 3],
  [1, 6],
  [0xfff, 9],
  [4096, 0],
];

const CASES = [
  ...EDGES.map(([cutoff, offset]) => ({ name: `edge ${cutoff}/${offset}`, kind: 'ingress' as const, routes: wovenAtEdge(cutoff, offset) })),
  { name: 'entry page', kind: 'ingress' as const, routes: wovenInside(['baggage', 'cookie'], 0x19a, 3).page },
  { name: 'behind it', kind: 'mesh' as const, routes: wovenInside(['baggage', 'cookie'], 0x19a, 3).shop },
  { name: 'behind it, by request id too', kind: 'mesh' as const, routes: wovenInside(['baggage', 'cookie', 'requestId'], 0x800, 9).shop },
];

describeWithEnvoy('Perch’s route table and Envoy take the same rule', (executable) => {
  let envoy: RunningEnvoy;
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  beforeAll(async () => {
    const listeners = CASES.map(({ name, routes }) => httpListener(name, answering(routes), { requestId: 'preserve', showRoute: true }));
    envoy = await startEnvoy(executable, { listeners, clusters: [] });
  });

  afterAll(async () => {
    agent.destroy();
    await envoy?.stop();
  });

  test.each(CASES)('$name: 1500 requests, well-formed and odd', async ({ name, kind, routes }) => {
    const table = tableOf(routes);
    const port = envoy.port(name);
    const taken = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(sent, async (each) => {
        const rule = await askEnvoy(agent, port, each);
        taken.add(rule);
        expect(askPerch(table, kind, each)).toBe(rule);
      }),
      { numRuns: 1500, seed: 20261122 },
    );
    // Every rule of the routes was taken by some request, so that none agrees for want of being asked.
    const rules = new Set(routes.spec.http?.map((rule) => rule.name));
    expect([...rules].filter((rule) => !taken.has(rule))).toEqual([]);
  });
});
