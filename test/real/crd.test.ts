import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { refuseChange } from '../../src/core/release/change.ts';
import { PHASES } from '../../src/core/release/phase.ts';
import { MINUTE, ReleaseWorld, specOf } from '../../src/core/release/release-world.cases.ts';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import { initialStatus } from '../../src/core/release/status-change.ts';
import { validateCanaryRelease } from '../../src/core/release/validate.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { specs } from './arbitrary-releases.ts';
import { type ApiAnswer, type KubernetesApi, startKubernetesApi } from './kubernetes-api.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const RELEASES = '/apis/perch.dev/v1alpha1/namespaces/default/canaryreleases';

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

/** Of a release that was paused, promoted to its end, taken back, begun again, superseded, and rolled back. */
function statuses(): readonly ReleaseStatus[] {
  const world = new ReleaseWorld(specOf());
  const found: ReleaseStatus[] = [];
  const keep = () => {
    if (world.status !== undefined) found.push(JSON.parse(JSON.stringify(world.status)) as ReleaseStatus);
  };
  for (const act of [
    () => world.look(),
    () => world.serve(),
    () => world.ask('pause'),
    () => world.ask('resume'),
    () => world.ask('promote', 'ada', true),
    () => world.serve(),
    () => world.ask('rollback'),
    () => world.serve(),
    () => world.edit(specOf({ revision: 8 })),
    () => world.serve(),
    () => world.edit(specOf({ revision: 'x9', affinity: { mode: 'canaryOnly' } })),
    () => world.serve(),
    () => world.serve(),
    () => world.setReady('v2', false),
    () => world.pass(10 * MINUTE),
    () => world.serve(),
  ]) {
    act();
    keep();
  }
  return [...scaledStatuses(), ...found];
}

/** Of two releases that scale: one may, and goes through its end, the other may not. */
function scaledStatuses(): readonly ReleaseStatus[] {
  return [undefined, 'it may not'].flatMap((failure) => {
    const scaling = { beforeStep: 'matchWeight' as const, afterSuccess: { replicas: 0, delay: '1m' } };
    const world = new ReleaseWorld(specOf({ scaling, steps: [{ weight: 100, hold: '1m' }] }));
    world.scaleFailure = failure;
    world.setReplicas('v1', 4);
    world.setReplicas('v2', 0);
    const found: ReleaseStatus[] = [];
    for (const act of [
      () => world.look(),
      () => world.rollOut('v2'),
      () => world.serve(),
      () => world.pass(MINUTE),
      () => world.serve(),
      () => world.pass(MINUTE),
      () => world.ask('rollback'),
    ]) {
      act();
      found.push(JSON.parse(JSON.stringify(world.status)) as ReleaseStatus);
    }
    if (!found.some((status) => (failure === undefined ? status.scaling?.former : status.scaling?.last?.failure) !== undefined))
      throw new Error('nothing was to be scaled');
    return found;
  });
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

describeWithKubernetes('deploy/crd.yaml at a real kube-apiserver', (programs) => {
  let api: KubernetesApi;
  const definition = parse(readFileSync(new URL('../../deploy/crd.yaml', import.meta.url), 'utf8')) as KubeObject;

  beforeAll(async () => {
    api = await startKubernetesApi(programs);
    const created = await api.send('POST', DEFINITIONS, definition);
    expect([created.status, created.body.message]).toEqual([201, undefined]);
    // Established, it is served a moment later.
    while ((await api.send('GET', RELEASES)).status !== 200) await sleep(100);
  });
  afterAll(() => api?.stop());

  const release = (spec: unknown, name = 'reviews'): KubeObject => ({
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name, namespace: 'default' },
    ...{ spec },
  });
  const GOOD = {
    service: { host: 'reviews', port: 9080 },
    stable: { subset: 'v1' },
    canary: { subset: 'v2' },
    route: { adopt: { virtualService: 'reviews' } },
    steps: [
      { weight: 10, hold: '10m' },
      { weight: 100, hold: 'manual' },
    ],
  };
  /** As kubectl sends it: strict, and here without being kept. */
  const tried = (object: unknown) => api.send('POST', `${RELEASES}?dryRun=All&fieldValidation=Strict`, object);

  it('is established, and its schema is structural', async () => {
    const { body } = await api.send('GET', `${DEFINITIONS}/canaryreleases.perch.dev`);
    const { conditions } = body['status'] as { readonly conditions: readonly Condition[] };
    expect(conditions.filter(({ status }) => status === 'True').map(({ type }) => type)).toEqual(['NamesAccepted', 'Established']);
    expect(conditions.find(({ type }) => type === 'NonStructuralSchema')).toBeUndefined();
  });

  it('refuses what validation refuses, and nothing else', async () => {
    const counts = { accepted: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(specs, async (spec) => {
        const object = release(spec);
        const ours = validateCanaryRelease(object);
        const { status, body } = await tried(object);
        const isAccepted = status === 201;
        counts[isAccepted ? 'accepted' : 'refused']++;
        expect([isAccepted, body.message, ours.diagnostics]).toEqual([
          ours.release !== undefined,
          isAccepted ? undefined : expect.any(String),
          isAccepted ? [] : expect.any(Array),
        ]);
      }),
      { seed: 71, numRuns: 8_000 },
    );
    expect(Math.min(counts.accepted, counts.refused), JSON.stringify(counts)).toBeGreaterThan(1_500);
  });

  it('refuses under way what must not change then, and at any other time nothing of it', async () => {
    const counts = { accepted: 0, refused: 0 };
    const name = 'changed';
    const specOf = (spec: unknown) => validateCanaryRelease(release(spec, name)).release;
    const valid = specs.filter((spec) => specOf(spec) !== undefined) as fc.Arbitrary<Readonly<Record<string, unknown>>>;
    const pairs = fc
      .tuple(valid, valid, fc.subarray(['service', 'route', 'visitorId', 'affinity', 'steps', 'canary', 'revision'], { minLength: 1 }))
      .map(([before, other, taken]) => [before, { ...before, ...Object.fromEntries(taken.map((field) => [field, other[field]])) }] as const)
      .filter(([, after]) => specOf(after) !== undefined);
    const written = async (method: string, path: string, body: unknown) => {
      const answer = await api.send(method, `${RELEASES}${path}`, body);
      expect([200, 201], answer.body.message).toContain(answer.status);
      return answer.body;
    };
    await fc.assert(
      fc.asyncProperty(pairs, fc.constantFrom(undefined, ...PHASES), async ([before, after], phase) => {
        let object: ApiAnswer['body'] = await written('POST', '', release(before, name));
        const status = phase === undefined ? undefined : { ...initialStatus(), phase };
        if (status !== undefined) object = await written('PUT', `/${name}/status`, { ...object, status });
        // What is undefined is left out, as YAML leaves it out.
        const { status: code, body } = await api.send('PUT', `${RELEASES}/${name}?dryRun=All`, { ...object, spec: after });
        await written('DELETE', `/${name}`, undefined);
        const [next, current] = [specOf(after), specOf(before)];
        if (next === undefined || current === undefined) throw new Error('both are valid');
        const ours = refuseChange(status, next, current).map(({ path }) => path);
        counts[code === 200 ? 'accepted' : 'refused']++;
        const causes = (body['details'] as { readonly causes?: readonly { readonly field: string }[] } | undefined)?.causes ?? [];
        expect([code, causes.map(({ field }) => field).sort()]).toEqual([ours.length === 0 ? 200 : 422, ours.toSorted()]);
      }),
      { seed: 72, numRuns: 500 },
    );
    expect(Math.min(counts.accepted, counts.refused), JSON.stringify(counts)).toBeGreaterThan(100);
  });

  it('leaves out fields that it does not know for clients that do not ask for strictness', async () => {
    const misspelled = release({ ...GOOD, stpes: [], visitorId: { cokie: {} } });
    const { status, body } = await api.send('POST', `${RELEASES}?dryRun=All`, misspelled);
    expect([status, body['spec']]).toEqual([201, { ...GOOD, visitorId: {} }]);
    expect((await tried(misspelled)).body.message).toMatch(/unknown field "spec.stpes".*unknown field "spec.visitorId.cokie"/);
    const applied = await api.send('PATCH', `${RELEASES}/reviews?fieldManager=owner&fieldValidation=Strict`, misspelled, {
      'content-type': 'application/apply-patch+yaml',
    });
    expect(applied.body.message).toContain('stpes');
  });

  it('says what is wrong, and where', async () => {
    const said = async (changes: object) => (await tried(release({ ...GOOD, ...changes }))).body.message;
    expect(await said({ stpes: [] })).toContain('unknown field "spec.stpes"');
    expect(await said({ canary: { subset: 'v1' } })).toContain('spec: Invalid value: canary and stable name the same version');
    expect(await said({ canary: { subset: 'v2', host: 'x' } })).toContain(
      'spec.canary: Invalid value: has to have exactly one of subset, host',
    );
    const twice = await said({ steps: [{ weight: 50, hold: '0s' }] });
    expect(twice).toContain('spec.steps[0].hold: Invalid value: "0s": has to be over zero and at most 90d, or manual');
    expect(twice).toContain('spec.steps: Invalid value: the last step has to have weight 100');
    expect((await tried(release(GOOD, 'a.b'))).body.message).toContain('metadata.name has to be lower-case letters');
  });

  it('leaves to the status what it cannot see: hosts that are the same once resolved, and the rules of Istio', async () => {
    const same = { canary: { host: 'reviews-v2' }, stable: { host: 'reviews-v2.default.svc.cluster.local' } };
    const broken = { route: { managed: { hosts: ['a.test'], http: [{ rute: [] }] } } };
    for (const changes of [same, broken]) {
      expect(validateCanaryRelease(release({ ...GOOD, ...changes })).release).toBeUndefined();
      expect((await tried(release({ ...GOOD, ...changes }))).status).toBe(201);
    }
  });

  it.each(['(', '[', '(?=a)', '\\1'])('refuses the regex %s, which RE2 does not take', async (regex) => {
    const pick = { match: [{ headers: { 'x-team': { regex } } }], hold: '1m' };
    expect((await tried(release({ ...GOOD, steps: [pick, ...GOOD.steps] }))).body.message).toContain('headers[x-team].regex');
  });

  it('takes null for a field that was left out', async () => {
    const { status, body } = await tried(release({ ...GOOD, cohort: null, revision: null, optIn: null }));
    expect([status, body['spec']]).toEqual([201, GOOD]);
  });

  it('takes any weight in steps of 0.1', async () => {
    const tenths = Array.from({ length: 999 }, (_, index) => (index + 1) / 10);
    for (let at = 0; at < tenths.length; at += 49) {
      const steps = [...tenths.slice(at, at + 49).map((weight) => ({ weight, hold: '1m' })), { weight: 100, hold: '1m' }];
      expect((await tried(release({ ...GOOD, steps }))).body.message).toBeUndefined();
    }
  });

  it('keeps a release as it was written, and its status as the machine leaves it; the status is written apart', async () => {
    const created = await api.send('POST', `${RELEASES}?fieldValidation=Strict`, release(GOOD));
    expect([created.status, created.body['spec']]).toEqual([201, GOOD]);
    for (const status of statuses()) {
      const before = (await api.send('GET', `${RELEASES}/reviews`)).body;
      const written = await api.send('PUT', `${RELEASES}/reviews/status?fieldValidation=Strict`, { ...before, spec: {}, status });
      expect([written.body.message, written.body['status'], written.body['spec']]).toEqual([undefined, status, GOOD]);
    }
  });

  it('shows in a table what matters first', async () => {
    const { body } = await api.send('GET', RELEASES, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    const { columnDefinitions, rows } = body as unknown as Table;
    expect(columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name)).toEqual([
      'Name',
      'Phase',
      'Step',
      'Weight',
      'Exposure',
      'Age',
    ]);
    expect(rows[0]?.cells.slice(0, 5)).toEqual(['reviews', 'RolledBack', null, 0, null]);
    const { body: read } = await api.send('GET', `${RELEASES}/reviews`);
    const [started] = statuses().filter(({ phase, weight }) => phase === 'Progressing' && weight === 10);
    await api.send('PUT', `${RELEASES}/reviews/status`, { ...read, status: started });
    const { body: again } = await api.send('GET', RELEASES, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    expect((again as unknown as Table).rows[0]?.cells.slice(0, 5)).toEqual(['reviews', 'Progressing', '1 of 3', 10, '10.01 %']);
  });
});
