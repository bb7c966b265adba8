import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selectAt, summaryOf } from '../../../test/harness/routes.ts';
import type { KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { type CompiledRouting, compileRouting, RoutingCompiler } from './compile.ts';

const SERVICES = ['a', 'b', 'c'];
const HOSTS = ['a', 'b', 'shop.test', '*.test', '*'];
const oneOf = fc.constantFrom;

function object(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'default' }, spec };
}

const destination = fc.record({ host: oneOf(...SERVICES), subset: oneOf('v1', 'v2', undefined) });
const rule = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      match: oneOf(undefined, [{ uri: { prefix: '/x' } }], [{ port: 80 }]),
      route: destination.map((each) => [{ destination: each }]),
    }),
  },
  { weight: 1, arbitrary: oneOf('x', 'y').map((name) => ({ match: [{ uri: { prefix: '/x' } }], delegate: { name } })) },
);
const http = fc.array(rule, { minLength: 1, maxLength: 2 });

/** Objects of few names, so that they come and go, and come again as others. */
const made: fc.Arbitrary<KubeObject> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        name: oneOf('one', 'two', 'three'),
        hosts: fc.uniqueArray(oneOf(...HOSTS), { minLength: 1, maxLength: 2 }),
        gateways: oneOf(undefined, ['edge'], ['edge', 'mesh']),
        http,
      })
      .map(({ name, ...spec }) => object('VirtualService', name, spec)),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        name: oneOf('x', 'y'),
        http: fc.array(fc.record({ route: destination.map((each) => [{ destination: each }]) }), { minLength: 1, maxLength: 1 }),
      })
      .map(({ name, ...spec }) => object('VirtualService', name, spec)),
  },
  {
    weight: 1,
    arbitrary: oneOf('*', '*.test', 'shop.test').map((host) =>
      object('Gateway', 'edge', { servers: [{ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: [host] }] }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ name: oneOf(...SERVICES), port: oneOf(80, 9080), version: oneOf('v1', 'v2') }).map(({ name, port, version }) =>
      object('ServiceEntry', name, {
        hosts: [`${name}.default.svc.cluster.local`],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: [{ number: port, name: 'http', protocol: 'HTTP' }],
        endpoints: [{ address: '127.0.0.1', labels: { version } }],
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ name: oneOf(...SERVICES), subset: oneOf('v1', 'v2') })
      .map(({ name, subset }) => object('DestinationRule', name, { host: name, subsets: [{ name: subset, labels: { version: subset } }] })),
  },
);

/** Puts an object in the place of the one of its name, or last, or takes that one away. */
const change = fc.record({ object: made, isRemoval: oneOf(false, false, false, true) });

function changed(
  objects: readonly KubeObject[],
  { object: next, isRemoval }: { readonly object: KubeObject; readonly isRemoval: boolean },
): readonly KubeObject[] {
  const at = objects.findIndex(({ kind, metadata }) => kind === next.kind && metadata.name === next.metadata.name);
  if (isRemoval) return objects.filter((_, index) => index !== at);
  return at < 0 ? [...objects, next] : objects.with(at, next);
}

const LISTENERS = ['ingress 8080', 'mesh 80', 'mesh 9080'];
const LINES = ['a', 'b.default', 'c:9080', 'shop.test', 'other.test'].flatMap((host) => [`GET http://${host}/`, `GET http://${host}/x/1`]);

/** What a table does, and what is said about it. */
function behaviour({ table, diagnostics }: CompiledRouting): unknown {
  const answers = LISTENERS.flatMap((listener) =>
    LINES.map((line) => `${listener} ${line}: ${summaryOf(selectAt(table, listener, line))}`),
  );
  return { answers, diagnostics, listeners: table.listeners, clusters: table.clusters };
}

test('a table that is made of what the one before was made of does as one that is made anew', () => {
  let forwarded = 0;
  let found = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 5, maxLength: 40 }), (changes) => {
      const compiler = new RoutingCompiler();
      let objects: readonly KubeObject[] = [];
      for (const each of changes) {
        objects = changed(objects, each);
        const again = behaviour(compiler.compile(objects));
        expect(again).toEqual(behaviour(compileRouting(objects)));
        forwarded += Number(JSON.stringify(again).includes('shop.test/x/1: a:'));
        found += Number(JSON.stringify(again).includes('PERCH113'));
      }
    }),
    { seed: 29, numRuns: runs(300) },
  );
  expect(forwarded).toBeGreaterThan(atLeast(300));
  expect(found).toBeGreaterThan(atLeast(300));
});

test('what did not change is not made again', () => {
  const objects = [
    object('Gateway', 'edge', { servers: [{ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] }),
    object('ServiceEntry', 'a', {
      hosts: ['a.default.svc.cluster.local'],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      endpoints: [{ address: '127.0.0.1' }],
    }),
  ];
  const route = (name: string) =>
    object('VirtualService', name, { hosts: [`${name}.test`], gateways: ['edge'], http: [{ route: [{ destination: { host: 'a' } }] }] });
  const compiler = new RoutingCompiler();
  const [one, two] = [route('one'), route('two')];
  const before = compiler.compile([...objects, one, two]).table;
  const after = compiler.compile([...objects, one, route('two')]).table;
  expect(after.clusters).toBe(before.clusters);
  const direct = (table: typeof before) => selectAt(table, 'ingress 8080', 'GET http://one.test/');
  const [left, right] = [direct(before), direct(after)];
  expect(left.kind === 'forward' && right.kind === 'forward' && left.request === right.request, 'the same route answers').toBe(true);
});
