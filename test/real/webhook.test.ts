import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ApiObject } from '../../src/cluster/kube/kube-object.ts';
import type { HTTPRoute, KubeObject } from '../../src/core/istio/resources.ts';
import { isWoven, readBase } from '../../src/core/weave/unweave.ts';
import { runCommand } from '../../tools/run-command.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithInstallers } from '../requirements.ts';
import { bookinfoBases, reviewsRelease } from './bookinfo-objects.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { InstalledWebhook } from './installed-webhook.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';

const APPLY = { 'content-type': 'application/apply-patch+yaml' };
const MERGE = { 'content-type': 'application/merge-patch+json' };
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Routes as the API gives them. */
type Routes = ApiObject & {
  readonly metadata: { readonly managedFields?: readonly ManagedFields[] };
  readonly spec: { readonly hosts: readonly string[]; readonly http: readonly HTTPRoute[] };
};

interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsV1: unknown;
}

/** Rules of reviews as an owner may write them. */
const rules: fc.Arbitrary<readonly object[]> = fc
  .array(
    fc.record(
      {
        match: fc.constantFrom(
          [{ uri: { prefix: '/reviews' } }],
          [{ headers: { 'end-user': { exact: 'jason' } } }, { uri: { exact: '/a' } }],
        ),
        timeout: fc.constantFrom('1s', '20s'),
        retries: fc.constantFrom({ attempts: 3, perTryTimeout: '2s' }),
        headers: fc.constantFrom({ request: { set: { 'x-a': 'b' } } }),
        route: fc.constantFrom<object[]>(
          [{ destination: { host: 'reviews', subset: 'v3' } }],
          [{ destination: { host: 'reviews', subset: 'v1' } }],
          [{ destination: { host: 'reviews' } }],
        ),
      },
      { requiredKeys: ['route', 'match'] },
    ),
    { maxLength: 3 },
  )
  .map((some) => [...some, { route: [{ destination: { host: 'reviews', subset: 'v1', port: { number: 9080 } } }] }]);

describeWithInstallers('the webhook of perch controller, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let webhook: InstalledWebhook;
  let reviews: ReleaseHandle;
  const controllers: PerchProcess[] = [];
  let applies = 0;
  const bases = bookinfoBases();
  const release = (changes: object = {}) => reviewsRelease([10, 50, 100], changes);
  const BASE = bases.find(({ kind, metadata }) => kind === 'VirtualService' && metadata.name === 'reviews') ?? expect.fail('no reviews');
  const baseOf = (http: readonly object[]): KubeObject => ({ ...BASE, spec: { hosts: ['reviews'], http } });
  const withTimeout = (timeout: string): KubeObject => baseOf((BASE as Routes).spec.http.map((rule): object => ({ ...rule, timeout })));

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    reviews = new ReleaseHandle(cluster, 'reviews');
    webhook = new InstalledWebhook(cluster);
  });
  afterAll(async () => {
    webhook?.remove();
    await cluster?.stop();
  });
  afterEach(async () => {
    await webhook.ask(undefined);
    for (const each of controllers.splice(0)) await each.stop();
    await reviews.forget();
    for (const name of ['reviews', 'bookinfo']) await cluster.send('DELETE', pathOf(name));
  });

  const pathOf = (name: string, version = 'v1') => `/apis/networking.istio.io/${version}/namespaces/default/virtualservices/${name}`;
  const stored = async (name = 'reviews'): Promise<Routes> => (await cluster.send('GET', pathOf(name))).body as unknown as Routes;
  /** As `kubectl apply --server-side --field-manager=owner`. */
  const apply = async (object: KubeObject, query = ''): Promise<Routes> => {
    applies += 1;
    const path = `${pathOf(object.metadata.name, object.apiVersion.split('/')[1])}?fieldManager=owner&fieldValidation=Strict${query}`;
    const { status, body } = await cluster.send('PATCH', path, object, APPLY);
    expect([status < 300, body.message]).toEqual([true, undefined]);
    return body as unknown as Routes;
  };
  /** A controller that serves the webhook; the first one leads. */
  const start = async (): Promise<{ readonly port: number; readonly process: PerchProcess }> => {
    const { port, options } = await webhook.place();
    const process = startController(cluster.controllerKubeconfig, ['--metrics-port', '0', ...options]);
    controllers.push(process);
    await process.until(/knows what the cluster holds/);
    return { port, process };
  };
  /** The release at 10 %, and the apiserver asks the webhook of a controller that leads, or of another one. */
  const begin = async (who: 'leader' | 'follower' = 'leader', spec: object = {}, ...objects: readonly KubeObject[]): Promise<void> => {
    await cluster.apply(...(objects.length > 0 ? objects : bases), release(spec));
    const leader = await start();
    await reviews.reaches('Paused 10 %');
    await webhook.ask(who === 'leader' ? leader.port : (await start()).port);
    await expect.poll(async () => isWoven(await apply(BASE, '&force=true&dryRun=All'))).toBe(true);
  };
  /** How many server-side applies of VirtualServices this test did not send. */
  const written = async (): Promise<number> => {
    const { body } = await cluster.send('GET', '/metrics');
    const lines = (body.message ?? '').split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
    const all = lines.filter((line) => line.includes('resource="virtualservices"') && line.includes('verb="APPLY"'));
    return all.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0) - applies;
  };
  /** What the webhook of the controller that started last says of itself. */
  const figure = async (name: string): Promise<number> => {
    const [, metrics = ''] = (await controllers.at(-1)?.until(/metrics {3}(\S+),/)) ?? [];
    const lines = (await (await fetch(metrics)).text()).split('\n').filter((line) => line.startsWith(`perch_webhook_${name}`));
    return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
  };
  const managersOf = (object: Routes, field: string): readonly string[] =>
    (object.metadata.managedFields ?? [])
      .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes(`"f:${field}"`))
      .map(({ manager, operation }) => `${manager} ${operation}`);

  it('weaves what its owner applies; the same again is no change, not even of the version, and dry runs show none', async () => {
    await begin();
    const next = withTimeout('7s');
    const once = await apply(next, '&force=true');
    expect(isWoven(once)).toBe(true);
    expect(readBase(once).spec).toEqual(next.spec);
    const again = await apply(next);
    const { resourceVersion, generation } = again.metadata;
    expect(again.spec).toEqual(once.spec);
    expect([resourceVersion, generation]).toEqual([once.metadata.resourceVersion, once.metadata.generation]);
    const dry = await apply(next, '&dryRun=All');
    expect([dry.spec, dry.metadata.generation]).toEqual([once.spec, generation]);
    const other = await apply(withTimeout('8s'), '&dryRun=All');
    expect((readBase(other) as Routes).spec.http[0]?.timeout).toBe('8s');
    expect((await stored()).metadata.resourceVersion).toBe(resourceVersion);
    expect(managersOf(again, 'http')).toEqual(['owner Apply']);
  });

  it('weaves what kubectl applies from its side, edits and compares: its memory is its own, and it finds no difference', async () => {
    await begin();
    const folder = mkdtempSync(join(tmpdir(), 'perch-kubectl-'));
    const file = join(folder, 'reviews.yaml');
    const kubectl = (...args: readonly string[]) =>
      runCommand(parts.kubectl, args, { env: { ...process.env, KUBECONFIG: cluster.kubeconfig, HOME: folder } });
    try {
      const next = withTimeout('9s');
      writeFileSync(file, JSON.stringify(next));
      expect(await kubectl('apply', '-f', file)).toMatchObject({ code: 0, stdout: expect.stringContaining('configured') });
      const once = await stored();
      expect([isWoven(once), readBase(once).spec]).toEqual([true, next.spec]);
      expect((JSON.parse(once.metadata.annotations?.[LAST_APPLIED] ?? '') as KubeObject).spec).toEqual(next.spec);
      expect(await kubectl('apply', '-f', file)).toMatchObject({ code: 0 });
      expect((await stored()).metadata.resourceVersion).toBe(once.metadata.resourceVersion);
      expect(await kubectl('diff', '-f', file), '1 is a difference').toMatchObject({ code: 0, output: '' });
      expect(await kubectl('apply', '--server-side', '--force-conflicts', '-f', file)).toMatchObject({ code: 0 });
      expect(await kubectl('diff', '--server-side', '-f', file)).toMatchObject({ code: 0, output: '' });
      writeFileSync(file, JSON.stringify(withTimeout('10s')));
      expect(await kubectl('diff', '-f', file)).toMatchObject({ code: 1, output: expect.stringContaining('timeout: 10s') });
      const mixed = ['v1', 'v3'].map((subset) => ({ destination: { host: 'reviews', subset }, weight: 50 }));
      writeFileSync(file, JSON.stringify(baseOf([{ route: mixed }])));
      const { output } = await kubectl('apply', '--dry-run=server', '-f', file);
      expect(output).toMatch(/^Warning: perch: .*PERCH2\d{3}/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('weaves routes that are created, replaced, edited where they are woven, and those of older versions of the API', async () => {
    await begin();
    const woven = (await stored()).spec;
    await cluster.send('DELETE', pathOf('reviews'));
    const { body } = await cluster.send('POST', pathOf('').slice(0, -1), BASE);
    expect((body as unknown as Routes).spec).toEqual(woven);
    const { metadata } = await stored();
    const put = await cluster.send('PUT', pathOf('reviews'), { ...BASE, metadata });
    expect((put.body as unknown as Routes).spec).toEqual(woven);
    // The rule that un-weaving makes the base of is the last one.
    const edited = woven.http.map((rule, index) => (index === woven.http.length - 1 ? { ...rule, timeout: '11s' } : rule));
    const merged = await cluster.send('PATCH', pathOf('reviews'), { spec: { http: edited } }, MERGE);
    const timeouts = (merged.body as unknown as Routes).spec.http.map(({ timeout }) => timeout);
    expect(new Set(timeouts)).toEqual(new Set(['11s']));
    for (const version of ['v1beta1', 'v1alpha3']) {
      const old = await apply({ ...BASE, apiVersion: `networking.istio.io/${version}` }, '&force=true');
      expect([old.apiVersion, old.spec]).toEqual([`networking.istio.io/${version}`, woven]);
    }
  });

  it('makes of 40 drawn bases what the controller makes of them: it finds nothing to write', async () => {
    await begin('follower');
    const before = await written();
    for (const http of fc.sample(rules, { numRuns: 40, seed: 6 })) {
      const next = baseOf(http);
      const applied = await apply(next, '&force=true');
      expect([isWoven(applied), readBase(applied).spec]).toEqual([true, next.spec]);
    }
    await reviews.ask('promote');
    await reviews.reaches('Paused 50 %');
    // The step itself: at the gateway, and inside.
    expect((await written()) - before).toBe(2);
  });

  it('leaves to Perch what Perch writes: steps, a rollback, and the end of a release', async () => {
    await begin('follower');
    for (const [action, phase] of [
      ['promote', 'Paused 50 %'],
      ['rollback', 'RolledBack 0 %'],
    ] as const) {
      const before = [await written(), await figure('answers_total')] as const;
      await reviews.ask(action);
      await reviews.reaches(phase);
      expect([await written(), await figure('answers_total')]).toEqual([before[0] + 2, before[1]]);
    }
    await apply(withTimeout('5s'), '&force=true');
    await reviews.delete();
    await expect.poll(() => reviews.get()).toBeUndefined();
    expect((await stored()).spec).toEqual(withTimeout('5s').spec);
    expect((await stored('bookinfo')).spec).toEqual(bases.find(({ metadata }) => metadata.name === 'bookinfo')?.spec);
    expect((await apply(BASE, '&force=true')).spec, 'it does not come back').toEqual(BASE.spec);
  });

  it('gives an object that a release owns back to it at once', async () => {
    const { http } = (BASE as Routes).spec;
    const route = { managed: { name: 'reviews', hosts: ['reviews'], http } };
    await begin('leader', { route }, ...bases.filter((object) => object !== BASE));
    const before = await stored();
    const { body } = await cluster.send('PATCH', pathOf('reviews'), { metadata: { annotations: null }, spec: { hosts: ['a'] } }, MERGE);
    expect([(body as unknown as Routes).spec, (body as unknown as Routes).metadata.annotations]).toEqual([
      before.spec,
      before.metadata.annotations,
    ]);
  });

  it('lets through what it cannot weave, and leaves mistakes to the apiserver', async () => {
    await begin();
    const mixed = baseOf([{ route: ['v1', 'v3'].map((subset) => ({ destination: { host: 'reviews', subset }, weight: 50 })) }]);
    expect((await apply(mixed, '&force=true&dryRun=All')).spec).toEqual(mixed.spec);
    const wrong = await cluster.send('PATCH', pathOf('reviews'), { spec: { http: 'none' } }, MERGE);
    expect([wrong.status, wrong.body.message]).toEqual([422, expect.stringContaining('spec.http')]);
  });

  it('is no condition: with nobody there, applies go through, and are woven when the controller is back', async () => {
    await begin();
    await controllers[0]?.stop('SIGKILL');
    const began = performance.now();
    expect(isWoven(await apply(withTimeout('3s'), '&force=true'))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1500);
    await start();
    await expect.poll(async () => isWoven(await stored()), { timeout: 60_000 }).toBe(true);
    expect(readBase(await stored()).spec).toEqual(withTimeout('3s').spec);
  });

  it('takes its time: measured', async () => {
    await begin();
    const measure = async (): Promise<readonly number[]> => {
      const times: number[] = [];
      for (let index = 0; index < 300; index++) {
        const began = performance.now();
        await apply(withTimeout(`${1 + (index % 2)}s`), '&force=true');
        times.push(performance.now() - began);
      }
      return times.toSorted((left, right) => left - right);
    };
    const of = (times: readonly number[]) =>
      [0.5, 0.99].map((share) => (times[Math.floor(times.length * share)] ?? 0).toFixed(1)).join(' and ');
    const woven = await measure();
    const made = (1000 * (await figure('duration_seconds_sum'))) / (await figure('duration_seconds_count'));
    await webhook.ask(undefined);
    for (const each of controllers) await each.stop();
    await expect.poll(async () => isWoven(await apply(withTimeout('4s'), '&force=true'))).toBe(false);
    console.log(
      `an apply takes ${of(woven)} ms (p50, p99) with the webhook, whose answer takes ${made.toFixed(1)} ms to make, ${of(await measure())} ms without`,
    );
    expect(woven.at(-1)).toBeLessThan(2000);
  });
});
