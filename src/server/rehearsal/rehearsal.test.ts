import { describe, expect, test } from 'vitest';
import { adopt, delegate, release, root, routes, rules } from '../../../test/forms/place.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { wovenReleases } from '../../core/weave/unweave.ts';
import { openRehearsal, type Rehearsal } from './rehearsal.ts';
import { rehearseAlone } from './rehearse-alone.ts';

const WEB = { kind: 'CanaryRelease', namespace: 'default', name: 'web' };

async function open(...objects: readonly KubeObject[]): Promise<Rehearsal> {
  const opened = await openRehearsal(objects);
  return opened.ok ? opened.rehearsal : expect.fail(JSON.stringify(opened.diagnostics));
}

const istio = (kind: string, name: string, spec: unknown): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name },
  spec,
});
const subsets = (...names: readonly string[]): KubeObject =>
  istio('DestinationRule', 'web', { host: 'web', subsets: names.map((name) => ({ name, labels: { version: name } })) });
const GATEWAY = istio('Gateway', 'edge', { servers: [{ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] });
const timed = release('edge', adopt(), { hold: '10m' });

describe('a rehearsal', () => {
  test('goes through every step at its time, and ends', async () => {
    const rehearsal = await open(GATEWAY, routes('edge'), timed);
    const { stages, waiting, findings } = await rehearsal.perform(WEB, { kind: 'after' });
    expect([waiting, findings]).toEqual([undefined, []]);
    expect(stages.map(({ kind, step, elapsedMs, status }) => [kind, step, elapsedMs, status.weight, status.cutoff])).toEqual([
      ['before', undefined, 0, 0, undefined],
      ['step', 0, 0, 10, 410],
      ['step', 1, 600_000, 50, 2048],
      ['step', 2, 1_200_000, 100, 4096],
      ['after', undefined, 1_800_000, 100, 4096],
    ]);
    await rehearsal.close();
  });

  test('manual holds take as long as is said', async () => {
    const rehearsal = await open(GATEWAY, routes('edge'), release('edge', adopt()));
    const { stages } = await rehearsal.perform(WEB, { kind: 'after' }, { manualHoldMs: 1000 });
    expect(stages.map(({ elapsedMs, manualHolds }) => [elapsedMs, manualHolds])).toEqual([
      [0, []],
      [0, []],
      [1000, [0]],
      [2000, [0, 1]],
      [3000, [0, 1, 2]],
    ]);
    await rehearsal.close();
  });

  test('stops where it is asked to, with that step in the store', async () => {
    const rehearsal = await open(GATEWAY, routes('edge'), timed);
    const { stages } = await rehearsal.perform(WEB, { kind: 'step', step: 1 });
    expect(stages.at(-1)).toMatchObject({ kind: 'step', step: 1 });
    expect((await rehearsal.objects()).find(({ ref }) => ref.kind === 'CanaryRelease')?.status?.weight).toBe(50);
    await rehearsal.close();
  });

  test('the count of releases before decides the draw, unless the spec does', async () => {
    const { cohort: _, ...spec } = timed.spec as Record<string, unknown>;
    const offsets = async (given: object): Promise<unknown[]> => {
      const found: unknown[] = [];
      for (const started of [0, 1, 2, 3, 4]) {
        const rehearsal = await open(GATEWAY, routes('edge'), { ...timed, spec: { ...spec, ...given } });
        const { stages } = await rehearsal.perform(WEB, { kind: 'step', step: 0 }, { started });
        found.push(stages.at(-1)?.status.offset);
        await rehearsal.close();
      }
      return found;
    };
    const drawn = await offsets({});
    expect(new Set(drawn.slice(0, 4)).size).toBe(4);
    expect(drawn[4]).toBe(drawn[0]);
    expect(new Set(await offsets({ revision: 7 })).size).toBe(1);
    expect(new Set(await offsets({ cohort: 2 }))).toEqual(new Set([6]));
  });

  test('a release that leaves stable out starts once it is said which version is live', async () => {
    const next = release('edge', adopt(), { canary: 'v3' });
    const rehearsal = await open(GATEWAY, routes('edge'), next);
    expect((await rehearsal.perform(WEB, { kind: 'before' })).waiting).toBeUndefined();
    expect((await rehearsal.perform(WEB, { kind: 'after' })).waiting).toMatch(/spec.stable is missing/);
    const known = await rehearsal.perform(WEB, { kind: 'after' }, { live: { subset: 'v1' } });
    expect([known.waiting, known.stages.at(-1)?.kind]).toEqual([undefined, 'after']);
    await rehearsal.close();
  });

  test('a base that is at the canary already has nothing to release', async () => {
    const rehearsal = await open(GATEWAY, routes('edge', rules('v2')), timed);
    const { stages, waiting } = await rehearsal.perform(WEB, { kind: 'after' });
    expect([waiting, stages.map(({ kind }) => kind)]).toEqual([undefined, ['after']]);
    await rehearsal.close();
  });
});

describe('what keeps a release from starting', () => {
  test.each([
    [
      'a subset that no DestinationRule has',
      [routes('edge'), subsets('v1')],
      /^v2 is not ready: DestinationRule default\/web has no subset v2, only v1: add it there/,
    ],
    [
      'a version without endpoints',
      [
        routes('edge'),
        subsets('v1', 'v2'),
        istio('ServiceEntry', 'web', {
          hosts: ['web.default.svc.cluster.local'],
          resolution: 'STATIC',
          ports: [{ number: 9080, name: 'http', protocol: 'HTTP' }],
          endpoints: [{ address: '10.0.0.1', labels: { version: 'v1' } }],
        }),
      ],
      /^v2 is not ready: no endpoint of ServiceEntry default\/web has the labels of subset v2: add one/,
    ],
  ])('%s; its steps are told all the same', async (_what, objects, reason) => {
    const rehearsal = await open(GATEWAY, ...objects, timed);
    const { waiting, stages } = await rehearsal.perform(WEB, { kind: 'after' });
    expect(waiting).toMatch(reason);
    expect(stages.at(-1)?.kind).toBe('after');
    await rehearsal.close();
  });

  test('an error of weaving: it stays as it is', async () => {
    const rehearsal = await open(GATEWAY, timed);
    const { waiting, findings, stages } = await rehearsal.perform(WEB, { kind: 'after' });
    expect(findings).toEqual([expect.objectContaining({ code: 'PERCH3051', object: 'CanaryRelease default/web' })]);
    expect([waiting, stages.map(({ kind }) => kind)]).toEqual([findings[0]?.message, ['before']]);
    await rehearsal.close();
  });

  test('objects that the runtime refuses', async () => {
    const twice = await openRehearsal([GATEWAY, routes('edge'), timed, { ...timed, metadata: { name: 'again' } }]);
    expect(twice).toMatchObject({ ok: false, diagnostics: [{ code: 'PERCH3050' }, ...(twice.ok ? [] : twice.diagnostics.slice(1))] });
  });
});

test('of several releases each is rehearsed alone', async () => {
  const other: KubeObject = {
    ...timed,
    metadata: { name: 'shop' },
    spec: { ...(timed.spec as object), service: { host: 'shop', port: 9080 }, route: delegate(rules(), 'shop-routes') },
  };
  const shopRules = [{ route: [{ destination: { host: 'shop', subset: 'v1', port: { number: 9080 } } }] }];
  const shop = { ...other, spec: { ...(other.spec as object), route: delegate(shopRules, 'shop-routes') } };
  const edge = { ...root('edge', 'shop-routes', 'shop'), spec: { ...(root('edge', 'shop-routes').spec as object), hosts: ['shop.test'] } };
  const names = [WEB, { ...WEB, name: 'shop' }];
  const rehearsed = await rehearseAlone([GATEWAY, routes('edge'), timed, shop, edge], names, {});
  const performances = rehearsed.ok ? rehearsed.performances : expect.fail(JSON.stringify(rehearsed.diagnostics));
  expect(performances.map(({ waiting }) => waiting)).toEqual([undefined, undefined]);
  const woven = performances.map(({ stages }) => [
    ...new Set(stages.flatMap(({ objects }) => objects.flatMap(({ served }) => wovenReleases(served)))),
  ]);
  expect(woven).toEqual([['default/web'], ['default/shop']]);
});
