import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeWithKubernetes } from '../requirements.ts';
import { bookinfoBases, reviewsRelease } from './bookinfo-objects.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type IstioCluster, objectsOf, startIstioCluster } from './istio-cluster.ts';
import type { ApiAnswer } from './kubernetes-api.ts';
import { startController } from './start-controller.ts';
import { created, grant, makeNamespace, movedTo, type Right, Tenant } from './tenants.ts';

const POLICY = fileURLToPath(new URL('../../deploy/admission-policy.yaml', import.meta.url));

const RELEASES: Right = { group: 'perch.dev', resources: ['canaryreleases', 'canaryreleases/status'], verbs: ['*'] };
const ROUTES: Right = { group: 'networking.istio.io', resources: ['virtualservices'], verbs: ['create', 'update'] };
const SCALES: Right = { group: 'apps', resources: ['deployments/scale'], verbs: ['update'] };
const routes = (...names: readonly string[]): Right => ({ ...ROUTES, verbs: ['update'], names });
const httpRoutes = (...names: readonly string[]): Right => ({
  group: 'gateway.networking.k8s.io',
  resources: ['httproutes'],
  verbs: ['update'],
  names,
});

/** Users with rights of their own in one namespace, at a real kube-apiserver. */
describeWithKubernetes('deploy/admission-policy.yaml', (parts) => {
  let cluster: IstioCluster;
  let reviews: ReleaseHandle;
  const users = new Map<string, Tenant>();
  const as = (name: string): Tenant => {
    const user = users.get(name);
    if (user === undefined) throw new Error(`nobody is called ${name}`);
    return user;
  };
  const release = (changes: object = {}, name = 'reviews') => ({
    ...reviewsRelease([10, 50, 100], changes),
    metadata: { name, namespace: 'shop' },
  });
  const managed = { managed: { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews' } }] }] } };
  const said = ({ status, body }: ApiAnswer) => `${status} ${body.message ?? ''}`;
  const lacks = (user: string, right: string) => {
    const text = `this changes routes that ${user} may not change: in namespace shop they lack the right to ${right}`;
    return new RegExp(`^403 .*${text}$`);
  };

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    reviews = new ReleaseHandle(cluster, 'reviews', 'shop');
    await makeNamespace(cluster, 'shop');
    await cluster.apply(...movedTo('shop', bookinfoBases()));
    const rights: Readonly<Record<string, readonly Right[]>> = {
      alice: [RELEASES, ROUTES],
      frank: [RELEASES, ROUTES, SCALES],
      grace: [RELEASES, ROUTES, { ...SCALES, verbs: ['patch'] }],
      bob: [RELEASES],
      carol: [RELEASES, routes('reviews')],
      erin: [RELEASES, { ...routes('reviews', 'bookinfo'), verbs: ['patch'] }],
      dave: [RELEASES, routes('bookinfo', 'details')],
      heidi: [RELEASES, httpRoutes('reviews')],
      ivan: [RELEASES, httpRoutes('reviews', 'edge')],
    };
    for (const [name, own] of Object.entries(rights)) {
      await grant(cluster, name, 'shop', own);
      users.set(name, new Tenant(cluster, name, 'shop'));
    }
    const [policy, binding] = objectsOf(POLICY);
    if (policy === undefined || binding === undefined) throw new Error('there is no policy');
    await created(cluster, '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies', policy);
    await created(cluster, '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings', binding);
    // It is in force a moment later.
    const isInForce = async () => (await as('bob').create(release({}, 'probe'))).status !== 201;
    while (!(await isInForce())) await new ReleaseHandle(cluster, 'probe', 'shop').forget();
  });
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    await reviews.forget();
    await expect.poll(() => reviews.get()).toBeUndefined();
  });

  it('whoever may write releases but not the routes that they change cannot create one, and hears what is missing', async () => {
    expect(said(await as('bob').create(release()))).toMatch(lacks('bob', 'update virtualservices/reviews'));
    expect(said(await as('carol').create(release()))).toMatch(lacks('carol', 'update virtualservices/bookinfo'));
    for (const name of ['alice', 'erin']) {
      expect((await as(name).create(release())).status).toBe(201);
      expect((await as(name).delete('reviews')).status).toBe(200);
    }
  });

  it('a right to the very objects is enough; for one of its own the release’s author has to be able to create it', async () => {
    expect((await as('carol').create(release({ visitorId: {} }))).status).toBe(201);
    await reviews.forget();
    const delegate = { delegate: { name: 'other', http: managed.managed.http } };
    expect(said(await as('carol').create(release({ visitorId: {}, route: delegate })))).toMatch(
      lacks('carol', 'update virtualservices/other'),
    );
    expect(said(await as('carol').create(release({ visitorId: {}, route: managed })))).toMatch(lacks('carol', 'create virtualservices'));
    const named = { managed: { ...managed.managed, name: 'other' } };
    expect(said(await as('carol').create(release({ visitorId: {}, route: named })))).toMatch(
      lacks('carol', 'update virtualservices/other'),
    );
    expect((await as('alice').create(release({ route: managed }))).status).toBe(201);
  });

  it('so does one in HTTPRoutes: the one that is released, and the one where ids are issued', async () => {
    const inside = {
      canary: { host: 'reviews-v2' },
      stable: { host: 'reviews-v1' },
      route: { adopt: { httpRoute: 'reviews' } },
      visitorId: { issueAt: { httpRoute: 'edge' } },
    };
    expect(said(await as('alice').create(release(inside)))).toMatch(lacks('alice', 'update httproutes/reviews'));
    expect(said(await as('heidi').create(release(inside)))).toMatch(lacks('heidi', 'update httproutes/edge'));
    expect((await as('ivan').create(release(inside))).status).toBe(201);
  });

  describe('of a release that is there, whoever has no right to its routes', () => {
    it.each([
      ['cannot change its spec', () => as('bob').patch('reviews', { spec: { steps: [{ weight: 100, hold: '1s' }] } })],
      ['cannot ask anything of it', () => as('bob').ask('reviews', 'promote')],
      ['cannot take back what was asked', () => as('bob').patch('reviews', { metadata: { annotations: { 'perch.dev/request': null } } })],
      ['cannot write its status', () => as('bob').patch('reviews', { status: { phase: 'Progressing', weight: 100 } }, '/status')],
      [
        'cannot say what becomes of its routes',
        () => as('bob').patch('reviews', { metadata: { annotations: { 'perch.dev/on-delete': 'restore-base' } } }),
      ],
      ['cannot delete it', () => as('bob').delete('reviews')],
      ['nor all of the namespace at once', () => as('bob').delete()],
    ])('%s', async (_, attempt) => {
      expect((await as('alice').create(release())).status).toBe(201);
      expect((await as('alice').ask('reviews', 'pause')).status).toBe(200);
      const before = await reviews.get();
      expect(said(await attempt())).toMatch(lacks('bob', 'update virtualservices/reviews'));
      expect(await reviews.get()).toEqual(before);
    });

    it('may label and annotate it otherwise', async () => {
      await as('alice').create(release());
      const answer = await as('bob').patch('reviews', { metadata: { labels: { team: 'b' }, annotations: { note: 'on call: bob' } } });
      expect([answer.status, answer.body.message]).toEqual([200, undefined]);
    });
  });

  it('one that scales takes the right to scale Deployments, to create it and to change it; to delete it does not', async () => {
    const scaling = { scaling: { beforeStep: 'matchWeight' } };
    const lacksScale =
      /^403 .*this scales Deployments that alice may not scale: in namespace shop they lack the right to update deployments\/scale$/;
    expect(said(await as('alice').create(release(scaling)))).toMatch(lacksScale);
    for (const name of ['grace', 'frank']) {
      expect((await as(name).create(release(scaling))).status).toBe(201);
      if (name === 'grace') expect((await as('alice').delete('reviews')).status).toBe(200);
    }
    expect(said(await as('alice').ask('reviews', 'promote'))).toMatch(lacksScale);
    // A controller that may not scale has to be able to go on, and to roll back.
    expect((await as('alice').patch('reviews', { status: { phase: 'Pending', weight: 0 } }, '/status')).status).toBe(200);
    expect(said(await as('alice').patch('reviews', { spec: { scaling: null } }))).toMatch(lacksScale);
    expect((await as('frank').patch('reviews', { spec: { scaling: null } })).status).toBe(200);
    expect(said(await as('alice').patch('reviews', { spec: scaling }))).toMatch(lacksScale);
    expect((await as('alice').ask('reviews', 'promote')).status).toBe(200);
  });

  it('to move a release takes the right to what it leaves, too', async () => {
    await as('alice').create(release());
    const moved = { spec: { route: { adopt: { virtualService: 'details' } } } };
    expect(said(await as('dave').patch('reviews', moved))).toMatch(lacks('dave', 'update virtualservices/reviews'));
    expect((await as('alice').patch('reviews', moved)).status).toBe(200);
  });

  it('the controller, with its own rights and no exemption, runs what alice may ask for', async () => {
    const controller = startController(cluster.controllerKubeconfig);
    try {
      await as('alice').create(release());
      await reviews.reaches('Paused 10 %');
      expect(said(await as('bob').ask('reviews', 'promote'))).toMatch(/^403/);
      await as('alice').ask('reviews', 'promote');
      await reviews.reaches('Paused 50 %');
      expect((await reviews.status())?.lastRequest).toMatchObject({ action: 'promote', by: 'alice', outcome: 'done' });
      expect((await as('alice').delete('reviews')).status).toBe(200);
      await expect.poll(() => reviews.get()).toBeUndefined();
    } finally {
      await controller.stop();
    }
  });

  it('a namespace that is deleted takes its releases along: nobody has to be asked', async () => {
    await makeNamespace(cluster, 'leaving');
    const leaving = new Tenant(cluster, 'system:serviceaccount:kube-system:namespace-controller', 'leaving');
    await cluster.apply({ ...release({}, 'there'), metadata: { name: 'there', namespace: 'leaving' } });
    expect(said(await leaving.delete('there'))).toMatch(/lack the right to update/);
    await cluster.send('DELETE', '/api/v1/namespaces/leaving');
    const deleted = async () => (await leaving.delete('there')).status;
    await expect.poll(deleted).not.toBe(403);
    await expect.poll(() => new ReleaseHandle(cluster, 'there', 'leaving').get()).toBeUndefined();
  });
});
