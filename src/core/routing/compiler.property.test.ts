import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gateway, manifestsOf, selectAt, service, subsets, summaryOf, virtualService } from '../../../test/harness/routes.ts';
import type { KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { rootChanges, routingObjects } from './arbitrary-objects.cases.ts';
import { type CompiledRouting, compileRouting, RoutingCompiler } from './compile.ts';
import type { RouteTable, Selection } from './selection.ts';

type Objects = readonly KubeObject[];

/** What happens to a list of objects between two runs; places are taken modulo its length. */
type Change =
  | { readonly kind: 'put'; readonly objects: Objects }
  /** To the end of the list: the object itself stays the same. */
  | { readonly kind: 'remove' | 'copy' | 'toEnd'; readonly place: number }
  | { readonly kind: 'edit'; readonly edits: readonly { readonly place: number; readonly spec: object }[] }
  | { readonly kind: 'await'; readonly delegates: readonly string[] };

const places = fc.nat({ max: 100 });
const changes: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('put' as const), objects: fc.array(routingObjects, { minLength: 1, maxLength: 2 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('remove' as const, 'copy' as const, 'toEnd' as const), place: places }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('edit' as const),
      edits: fc.array(fc.record({ place: places, spec: rootChanges }), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('await' as const), delegates: fc.subarray(['default/part', 'default/rest', 'shop/part']) }),
  },
);

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

/** As the store does: what is there keeps its place. */
function put(objects: Objects, object: KubeObject): Objects {
  const at = objects.findIndex((each) => nameOf(each) === nameOf(object));
  return at < 0 ? [...objects, object] : objects.with(at, object);
}

/** With another part in a VirtualService that has hosts. */
function edited(objects: Objects, { place, spec }: { readonly place: number; readonly spec: object }): Objects {
  const routed = objects.filter((object) => object.kind === 'VirtualService' && 'hosts' in (object.spec as object));
  const old = routed[place % Math.max(routed.length, 1)];
  return old === undefined ? objects : put(objects, { ...old, spec: { ...(old.spec as object), ...spec } });
}

function changed(objects: Objects, change: Change): Objects {
  if (change.kind === 'put') return change.objects.reduce(put, objects);
  if (change.kind === 'await' || objects.length === 0) return objects;
  if (change.kind === 'edit') return change.edits.reduce(edited, objects);
  const at = change.place % objects.length;
  const object = objects[at] as KubeObject;
  const others = objects.toSpliced(at, 1);
  if (change.kind === 'remove') return others;
  return change.kind === 'toEnd' ? [...others, object] : objects.with(at, structuredClone(object));
}

const LINES = ['web', 'page', 'web.shop', 'web.default.svc.cluster.local', 'a.test', 'b.test', 'nobody'].flatMap((host) =>
  ['/', '/a/b'].map((path) => `GET http://${host}${path}`),
);

/** What the table answers to every kind of request, wherever it may come in. */
function answers(table: RouteTable): readonly Selection[] {
  const listeners = table.listeners.map(({ kind, port, bind }) => (bind === undefined ? `${kind} ${port}` : `${kind} ${port} ${bind}`));
  return [...listeners, 'mesh 80'].flatMap((listener) =>
    LINES.flatMap((line) => [
      selectAt(table, listener, { line, random: 0.3 }),
      selectAt(table, listener, { line, random: 0.7, headers: { team: 'x' } }),
    ]),
  );
}

/** That both tables do the same, with the same findings; gives what they answer. */
function expectSame(kept: CompiledRouting, fresh: CompiledRouting): readonly Selection[] {
  expect(kept.diagnostics).toEqual(fresh.diagnostics);
  expect(kept.table.listeners).toEqual(fresh.table.listeners);
  expect(kept.table.clusters).toEqual(fresh.table.clusters);
  const selections = answers(kept.table);
  expect(selections).toEqual(answers(fresh.table));
  // Pools are kept for the endpoints of the table's clusters: a route to any other would lose its connections.
  const clusters = selections.flatMap((selection) => (selection.kind === 'forward' ? (selection.cluster ?? []) : []));
  for (const cluster of new Set(clusters)) expect(kept.table.clusters).toContain(cluster);
  return selections;
}

describe('a compiler that keeps what did not change', () => {
  it('makes of every list what compiling it from scratch makes, whatever it made before', () => {
    const seen = { forward: 0, unknown: 0, findings: new Map<string, number>() };
    const lists = fc.array(routingObjects, { minLength: 8, maxLength: 16 });
    fc.assert(
      fc.property(lists, fc.array(changes, { minLength: 1, maxLength: 6 }), (first, then) => {
        const compiler = new RoutingCompiler();
        let objects = first.reduce(put, []);
        let awaited: ReadonlySet<string> = new Set();
        for (const change of [undefined, ...then]) {
          if (change !== undefined) objects = changed(objects, change);
          if (change?.kind === 'await') awaited = new Set(change.delegates);
          const kept = compiler.compile(objects, awaited);
          const forwards = expectSame(kept, compileRouting(objects, awaited)).filter((each) => each.kind === 'forward');
          seen.forward += forwards.length;
          seen.unknown += forwards.filter(({ cluster }) => cluster === undefined).length;
          for (const { code } of kept.diagnostics) seen.findings.set(code, (seen.findings.get(code) ?? 0) + 1);
        }
      }),
      { seed: 17, numRuns: runs(150) },
    );
    expect(seen.forward).toBeGreaterThan(atLeast(1000));
    expect(seen.unknown).toBeGreaterThan(atLeast(100));
    for (const code of ['PERCH1130', 'PERCH1131', 'PERCH1132', 'PERCH1133', 'PERCH1134']) {
      expect(seen.findings.get(code) ?? 0, code).toBeGreaterThanOrEqual(atLeast(3));
    }
  });

  it('looks at the rules of what changed only', () => {
    const read: string[] = [];
    const routed = (name: string): KubeObject => {
      const route = [{ destination: { host: name, port: { number: 80 } } }];
      const spec = { hosts: [`${name}.test`, name], gateways: ['edge', 'mesh'], http: [{ route }] };
      Object.defineProperty(spec, 'http', { get: () => read.push(name) && [{ route }] });
      return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name, namespace: 'default' }, spec };
    };
    const surroundings = manifestsOf(gateway(), service('one', 80), service('two', 80), service('three', 80));
    const compiler = new RoutingCompiler();
    const [one, two] = [routed('one'), routed('two')];
    const before = compiler.compile([...surroundings, one, two]).table;
    expect(new Set(read)).toEqual(new Set(['one', 'two']));

    read.length = 0;
    const { table } = compiler.compile([...surroundings, one, routed('two'), routed('three')]);
    expect(new Set(read)).toEqual(new Set(['two', 'three']));
    expect(['one', 'two', 'three'].map((name) => summaryOf(selectAt(table, 'ingress 8080', `GET http://${name}.test/`)))).toEqual([
      'one:80',
      'two:80',
      'three:80',
    ]);
    // What its first request made of a route, later tables have.
    const [left, right] = [before, table].map((each) => selectAt(each, 'ingress 8080', 'GET http://one.test/'));
    expect(left?.kind === 'forward' && right?.kind === 'forward' && left.request === right.request).toBe(true);
  });

  it('gives a host the new rules of each VirtualService that it has, where they change together', () => {
    const both = (status: number): Objects =>
      ['one', 'two'].flatMap((name) => {
        const http = `  http: [{match: [{uri: {prefix: /${name}}}], directResponse: {status: ${status}}}]`;
        return manifestsOf(virtualService(name, `  hosts: [a.test]\n  gateways: [edge]\n${http}`));
      });
    const surroundings = manifestsOf(gateway());
    const compiler = new RoutingCompiler();
    for (const status of [201, 202, 203]) {
      const { table } = compiler.compile([...surroundings, ...both(status)]);
      const answered = ['one', 'two'].map((name) => summaryOf(selectAt(table, 'ingress 8080', `GET http://a.test/${name}`)).trim());
      expect(answered).toEqual([`${status}`, `${status}`]);
    }
  });

  it('keeps the very clusters of services that did not change: their connections stay', () => {
    const compiler = new RoutingCompiler();
    const objects = manifestsOf(service('one', 80), service('two', 80), subsets('two', ['v1']));
    const first = compiler.compile(objects).table.clusters;
    expect(compiler.compile([...objects, ...manifestsOf(gateway())]).table.clusters).toBe(first);
    const then = compiler.compile([...objects.slice(0, 2), ...manifestsOf(subsets('two', ['v1', 'v2']))]).table.clusters;
    expect(then.map((cluster) => first.includes(cluster))).toEqual([true, false, false, false]);
  });
});
