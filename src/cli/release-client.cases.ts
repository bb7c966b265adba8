import assert from 'node:assert/strict';
import type { KubeObject } from '../core/istio/resources.ts';
import { parseManifests } from '../core/source/manifests.ts';
import { ApiProblem } from './api-problem.ts';
import type { ReleaseChange, ReleaseClient } from './release-client.ts';

/** One thing that every adapter of ReleaseClient does alike. `run` throws where the client does otherwise. */
export interface ReleaseClientCase {
  readonly name: string;
  run(scene: ReleaseClientScene): Promise<void>;
}

/** Where releases move on: a controller runs, and nothing else writes. */
export interface ReleaseClientScene {
  readonly client: ReleaseClient;
  /** The gateway, routes and endpoints of `web`, as YAML, not applied yet; its versions v1 and v2 are ready. */
  readonly basics: string;
  readonly routes: string;
  /** Whoever asks may read one namespace only. */
  readonly isConfined: boolean;
  /** A release of web from v1 to v2: 10 % manual, 50 % 1h, 100 % manual. */
  readonly release: string;
}

const WEB = { kind: 'CanaryRelease', namespace: 'default', name: 'web' } as const;
const ROUTES = { kind: 'VirtualService', namespace: 'default', name: 'web' } as const;
const PATIENCE_MS = 60_000;
let requests = 0;

function objectsIn(...texts: readonly string[]): readonly KubeObject[] {
  return texts.flatMap((text) => parseManifests(text, 'case.yaml').objects.map(({ object }) => object));
}

function ask(client: ReleaseClient, action: 'promote' | 'pause' | 'resume' | 'rollback' | 'retry', waitMs = PATIENCE_MS) {
  return client.request('default', 'web', { id: `case-${++requests}`, action, by: 'ann' }, waitMs);
}

async function refusalOf(call: Promise<unknown>): Promise<ApiProblem['problem']> {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApiProblem, String(error));
  return error.problem;
}

/** The first change that fits, of those that are told. */
async function told(client: ReleaseClient, fits: (change: ReleaseChange) => boolean): Promise<ReleaseChange> {
  const end = new AbortController();
  const over = AbortSignal.any([end.signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    for await (const change of client.follow('default', over)) if (fits(change)) return change;
  } finally {
    end.abort();
  }
  return assert.fail('nothing of it was told');
}

const standsAt = (phase: string) => (change: ReleaseChange) =>
  (change.kind === 'changed' && change.release.metadata.name === 'web' && change.release.status?.phase === phase) ||
  (change.kind === 'all' && change.releases.some(({ metadata, status }) => metadata.name === 'web' && status?.phase === phase));

/** The shared suite: one release's life, step by step; each case goes on where the one before it ended. */
export const RELEASE_CLIENT_CASES: readonly ReleaseClientCase[] = [
  {
    name: 'what is not there is undefined, false, or nothing',
    run: async ({ client }) => {
      assert.deepEqual(await client.releases('default'), []);
      assert.equal(await client.release('default', 'web'), undefined);
      assert.equal(await client.object(ROUTES, 'served'), undefined);
      assert.equal(await client.history('default', 'web', 10), undefined);
      assert.equal(await ask(client, 'promote'), undefined);
      assert.equal(await client.remove(WEB, 'ann'), false);
      assert.equal(await client.remove(ROUTES, 'ann'), false);
      assert.equal(await client.restoreBase('default', 'web', 'ann'), false);
    },
  },
  {
    name: 'an apply with a mistake applies nothing, and names the object and the field',
    run: async ({ client, basics, routes, release }) => {
      const wrong = objectsIn(basics, routes, release.replace('weight: 50', 'weight: 5'));
      const { code, diagnostics = [] } = await refusalOf(client.apply(wrong, { by: 'ann' }));
      assert.equal(code, 'PERCH4007');
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === 'error').map(({ object, path }) => [object, path]),
        [['CanaryRelease default/web', 'spec.steps[1].weight']],
      );
      assert.equal(await client.object(ROUTES, 'base'), undefined);
    },
  },
  {
    name: 'an object that stands twice in one apply is refused',
    run: async ({ client, routes }) => {
      const { diagnostics = [] } = await refusalOf(client.apply(objectsIn(routes, routes), { by: 'ann' }));
      assert.deepEqual(
        diagnostics.map(({ code }) => code),
        ['PERCH4050'],
      );
    },
  },
  {
    name: 'apply tells for each object what it did, and that once',
    run: async ({ client, basics, routes, release }) => {
      const objects = objectsIn(basics, routes, release);
      const results = async () => (await client.apply(objects, { by: 'ann' })).outcomes.map(({ ref, result }) => `${ref.kind} ${result}`);
      const kinds = ['Gateway', 'DestinationRule', 'ServiceEntry', 'VirtualService', 'CanaryRelease'];
      assert.deepEqual(
        await results(),
        kinds.map((kind) => `${kind} created`),
      );
      await told(client, standsAt('Paused'));
      assert.deepEqual(
        await results(),
        kinds.map((kind) => `${kind} unchanged`),
      );
    },
  },
  {
    name: 'a release is shown as it was applied, and where it stands; routes as served and as applied',
    run: async ({ client, routes, release, isConfined }) => {
      const [wanted] = objectsIn(release);
      const found = await client.release('default', 'web');
      assert.deepEqual(found?.spec, wanted?.spec);
      assert.deepEqual([found?.status?.phase, found?.status?.weight, found?.metadata.generation], ['Paused', 10, 1]);
      assert.deepEqual(
        (await client.releases('default')).map(({ metadata }) => metadata.name),
        ['web'],
      );
      assert.deepEqual((await client.object(ROUTES, 'base'))?.spec, objectsIn(routes)[0]?.spec);
      assert.match(JSON.stringify((await client.object(ROUTES, 'served'))?.spec), /perch:default\/web:/);
      const said = await client.findings([{ namespace: 'default', name: 'web' }]);
      if (isConfined) assert.equal(said.kind, 'unknown');
      else assert.deepEqual(said, { kind: 'known', findings: [[]] });
    },
  },
  {
    name: 'a request is tried on the routes that are served, visitor by visitor; what is no request is refused',
    run: async ({ client }) => {
      const asked = { listener: 'ingress', method: 'GET', url: 'http://shop.test:8080/', headers: [] } as const;
      const tried = async (visitorId: string) => {
        const { outcome, trail } = await client.tryRequest({ ...asked, headers: [], visitorId }, ['default']);
        assert.ok(outcome.kind === 'forward' && trail.length > 2, JSON.stringify(outcome));
        return outcome.destinations.map(({ subset, percent }) => `${subset} ${percent}`).join();
      };
      // Whatever the offset of the draw: a bucket of 0, and one of 4095.
      assert.equal(await tried('3e4666bf-d5e5-4aa7-b8ce-000000000000'), 'v2 100');
      assert.equal(await tried('3e4666bf-d5e5-4aa7-b8ce-ffffffffffff'), 'v1 100');
      const { code } = await refusalOf(client.tryRequest({ ...asked, headers: [], url: 'http://shop.test:8080/#top' }, ['default']));
      assert.equal(code, 'PERCH4006');
    },
  },
  {
    name: 'an apply of the same base takes nobody’s release out, one of another base keeps it',
    run: async ({ client, routes }) => {
      const served = await client.object(ROUTES, 'served');
      assert.equal((await client.apply(objectsIn(routes), { by: 'ann' })).outcomes[0]?.result, 'unchanged');
      assert.deepEqual((await client.object(ROUTES, 'served'))?.spec, served?.spec);
      const slower = objectsIn(routes.replace('    route:', '    timeout: 9s\n    route:'));
      assert.equal((await client.apply(slower, { by: 'ann' })).outcomes[0]?.result, 'configured');
      assert.deepEqual((await client.object(ROUTES, 'base'))?.spec, slower[0]?.spec);
      const until = Date.now() + PATIENCE_MS;
      for (;;) {
        const text = JSON.stringify((await client.object(ROUTES, 'served'))?.spec);
        if (/perch:default\/web:.*"timeout":"9s"|"timeout":"9s".*perch:default\/web:/.test(text)) break;
        assert.ok(Date.now() < until, text);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  },
  {
    name: 'promote is over once the next step is served; the same id is not handled again',
    run: async ({ client }) => {
      const request = { id: 'once', action: 'promote', by: 'ann' } as const;
      const answer = await client.request('default', 'web', request, PATIENCE_MS);
      assert.deepEqual([answer?.state, answer?.id], ['done', 'once']);
      const after = await client.release('default', 'web');
      assert.deepEqual([after?.status?.weight, after?.status?.phase], [50, 'Progressing']);
      assert.ok(after?.status?.stepStartedAt !== undefined);
      assert.equal((await client.request('default', 'web', request, PATIENCE_MS))?.state, 'done');
      assert.equal((await client.release('default', 'web'))?.status?.weight, 50);
    },
  },
  {
    name: 'what cannot be done now is refused with the reason',
    run: async ({ client }) => {
      const { code, detail } = await refusalOf(ask(client, 'resume'));
      assert.deepEqual([code, detail], ['PERCH4008', 'the release is not paused']);
    },
  },
  {
    name: 'a request that is not waited for is handled all the same',
    run: async ({ client }) => {
      const pausing = told(client, standsAt('Paused'));
      assert.notEqual(await ask(client, 'pause', 0), undefined);
      await pausing;
    },
  },
  {
    name: 'rollback is over once everyone is back',
    run: async ({ client }) => {
      assert.equal((await ask(client, 'rollback'))?.state, 'done');
      const { phase, weight, lastRequest } = (await client.release('default', 'web'))?.status ?? {};
      assert.deepEqual([phase, weight, lastRequest?.action, lastRequest?.by], ['RolledBack', 0, 'rollback', 'ann']);
    },
  },
  {
    name: 'history tells what happened, the newest first, and by whom',
    run: async ({ client }) => {
      const until = Date.now() + PATIENCE_MS;
      for (;;) {
        const { items = [] } = (await client.history('default', 'web', 100)) ?? {};
        const reasons = items.map(({ reason }) => reason);
        const back = items.find(({ reason }) => reason === 'RollingBack' || reason === 'RolledBack');
        if (reasons[0] === 'RolledBack' && reasons.includes('Started') && back?.by === 'ann') break;
        assert.ok(Date.now() < until, JSON.stringify(items));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const page = await client.history('default', 'web', 2);
      assert.equal(page?.items.length, 2);
      assert.ok(page.next !== undefined);
    },
  },
  {
    name: 'a release that is removed goes once its rules are out, which is told; its history stays',
    run: async ({ client, routes }) => {
      const gone = told(client, (change) => change.kind === 'deleted' && change.name === 'web');
      // The watch has to have begun: what is gone before is not told.
      await told(client, (change) => change.kind === 'all');
      assert.equal(await client.remove(WEB, 'ann'), true);
      await gone;
      assert.equal(await client.release('default', 'web'), undefined);
      const slower = objectsIn(routes.replace('    route:', '    timeout: 9s\n    route:'));
      assert.deepEqual((await client.object(ROUTES, 'served'))?.spec, slower[0]?.spec);
      assert.ok(((await client.history('default', 'web', 100))?.items.length ?? 0) > 0);
      assert.equal(await client.remove(ROUTES, 'ann'), true);
      assert.equal(await client.object(ROUTES, 'base'), undefined);
    },
  },
];
