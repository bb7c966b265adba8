import { describe, expect, test } from 'vitest';
import type { CanaryReleaseSpec } from './canary-release.ts';
import { asksForNewRelease, refuseChange, wantedInstead } from './change.ts';
import { ReleaseWorld, specOf, subset, without } from './release-world.cases.ts';
import { PROGRESSING } from './status.cases.ts';
import type { ReleaseStatus } from './status.ts';

/** A release from v1 to v2 that is under way. */
function underWay(): ReleaseWorld {
  const world = new ReleaseWorld(specOf({ revision: 1 }));
  world.look();
  return world;
}

/** Of the release `checkout`. */
function refusal(status: ReleaseStatus | undefined, next: CanaryReleaseSpec, current?: CanaryReleaseSpec) {
  const released = (spec: CanaryReleaseSpec) => ({ metadata: { name: 'checkout', namespace: 'default' }, spec });
  return refuseChange(status, released(next), current && released(current));
}

describe('a spec asks for a new release', () => {
  const [v1, v2, v3] = [subset('v1'), subset('v2'), subset('v3')];
  const run: ReleaseStatus = { ...PROGRESSING, stable: v1, canary: v2, revision: 7 };
  const { stable: _, ...liveIsStable } = run;

  test.each([
    ['with another canary', { canary: v3, stable: v1, revision: 7 }, run, true],
    ['with another stable version, and nothing else', { canary: v2, stable: v3, revision: 7 }, run, true],
    ['with another revision', { canary: v2, stable: v1, revision: 8 }, run, true],
    ['not with the same', { canary: v2, stable: v1, revision: 7 }, run, false],
    ['not without a stable version: what is live is', { canary: v2, revision: 7 }, run, false],
    ['not without a revision', { canary: v2, stable: v1 }, run, false],
    ['not where no stable version is known yet', { canary: v2, stable: v3, revision: 7 }, liveIsStable, false],
  ])('%s', (_case, spec, status, expected) => {
    expect(asksForNewRelease(spec, status)).toBe(expected);
  });
});

describe('refuseChange', () => {
  test.each([
    ['the service', specOf({ revision: 1, service: { host: 'ratings', port: 9080 } }), ['spec.service']],
    ['the route', specOf({ revision: 1, route: { adopt: { virtualService: 'other' } } }), ['spec.route']],
    ['how visitors stay put', specOf({ revision: 1, affinity: { mode: 'canaryOnly' } }), ['spec.affinity']],
    [
      'all of them, also beside another canary',
      specOf({ canary: subset('v3'), service: { host: 'ratings', port: 9080 }, affinity: { mode: 'canaryOnly' } }),
      ['spec.service', 'spec.affinity'],
    ],
  ])('during a release %s cannot change', (_, next, paths) => {
    const world = underWay();
    const refused = refusal(world.status, next, world.spec);
    expect(refused.map(({ code, path, hint }) => [code, path, hint])).toEqual(
      paths.map((path) => ['PERCH3001', path, 'roll back or finish first']),
    );
  });

  describe('of the route', () => {
    const http = [{ route: [{ destination: { host: 'reviews' } }] }];
    const slower = [{ timeout: '9s', route: [{ destination: { host: 'reviews' } }] }];
    const adopt = { adopt: { virtualService: 'reviews' } };
    const delegate = { delegate: { name: 'reviews', http } };
    const managed = { managed: { name: 'reviews', hosts: ['reviews'], http } };

    test.each([
      ['adopt', adopt, delegate],
      ['adopt', adopt, managed],
      ['delegate', delegate, adopt],
      ['delegate', delegate, managed],
      ['delegate', delegate, { delegate: { name: 'other', http } }],
      ['managed', managed, adopt],
      ['managed', managed, delegate],
      ['managed', managed, { managed: { hosts: ['reviews'], http } }],
      ['managed', managed, { managed: { ...managed.managed, hosts: ['reviews', 'ratings'] } }],
      ['managed', managed, { managed: { ...managed.managed, gateways: ['edge'] } }],
    ])('its form, name, hosts and gateways stay while a release is under way: %s %j %j', (_, from, to) => {
      const world = underWay();
      const current = specOf({ revision: 1, route: from });
      expect(refusal(world.status, specOf({ revision: 1, route: to }), current).map(({ path }) => path)).toEqual(['spec.route']);
      world.ask('rollback');
      world.serve();
      expect(refusal(world.status, specOf({ revision: 1, route: to }), current)).toEqual([]);
    });

    test('a name that is written out where it was left out, or the other way round, is the same name', () => {
      const world = underWay();
      const { name: _, ...unnamed } = managed.managed;
      const left = specOf({ revision: 1, route: { managed: unnamed } });
      const written = specOf({ revision: 1, route: { managed: { ...unnamed, name: 'checkout' } } });
      expect(refusal(world.status, written, left)).toEqual([]);
      expect(refusal(world.status, left, written)).toEqual([]);
    });

    test.each([
      [delegate, { delegate: { name: 'reviews', http: slower } }],
      [managed, { managed: { ...managed.managed, http: slower } }],
    ])('its rules may change, as those of an adopted VirtualService may: %j', (from, to) => {
      const world = underWay();
      expect(refusal(world.status, specOf({ revision: 1, route: to }), specOf({ revision: 1, route: from }))).toEqual([]);
    });
  });

  test.each([
    ['name', 'other'],
    ['path', '/shop'],
    ['domain', 'shop.example'],
    ['partitioned', true],
  ])('another cookie to browsers would draw every visitor anew: %s', (field, value) => {
    const world = underWay();
    const { visitorId } = world.spec;
    const next = { ...world.spec, visitorId: { ...visitorId, cookie: { ...visitorId.cookie, [field]: value } } };
    expect(refusal(world.status, next, world.spec).map(({ path }) => path)).toEqual([`spec.visitorId.cookie.${field}`]);
  });

  test('nor can the place that ids are issued at, or where they come from', () => {
    const world = underWay();
    const { visitorId } = world.spec;
    const others = { issueAt: { virtualService: 'shop' }, from: { header: 'x-tenant-id' } };
    for (const [field, value] of Object.entries(others)) {
      const next = { ...world.spec, visitorId: { ...visitorId, [field]: value } };
      for (const [to, from] of [
        [next, world.spec],
        [world.spec, next],
      ] as const)
        expect(refusal(world.status, to, from).map(({ path }) => path)).toEqual([`spec.visitorId.${field}`]);
      expect(refusal(world.status, next, next)).toEqual([]);
    }
    const issuedAt = (name: string) => ({ ...world.spec, visitorId: { ...visitorId, issueAt: { virtualService: name } } });
    expect(refusal(world.status, issuedAt('shop'), issuedAt('other'))).toHaveLength(1);
    const domain = (name: string) => ({ ...world.spec, visitorId: { ...visitorId, cookie: { ...visitorId.cookie, domain: name } } });
    expect(refusal(world.status, domain('shop.example'), domain('other.example'))).toHaveLength(1);
    const header = (name: string) => ({ ...world.spec, visitorId: { ...visitorId, from: { header: name } } });
    expect(refusal(world.status, header('x-user-id'), header('x-tenant-id'))).toHaveLength(1);
  });

  test('the refusal is an error that names the release under way, its phase and weight', () => {
    const world = underWay();
    const [refused] = refusal(world.status, { ...world.spec, affinity: { mode: 'canaryOnly' } }, world.spec);
    expect(refused).toMatchObject({
      severity: 'error',
      message: 'the release of v2 is under way (Progressing, 10 %): spec.affinity cannot change now',
    });
    // Applied for the first time there is nothing to be compared with.
    expect(refusal(world.status, world.spec, undefined)).toEqual([]);
  });

  test('what the next ids are like, and how long they last, may change: those that are there stay', () => {
    const world = underWay();
    const { visitorId } = world.spec;
    const changed = { maxAge: '30d', httpOnly: false, secure: true, sameSite: 'None' as const };
    const next = { ...world.spec, visitorId: { ...visitorId, cookie: { ...visitorId.cookie, ...changed } } };
    expect(refusal(world.status, next, world.spec)).toEqual([]);
  });

  test.each([
    ['canary', specOf({ revision: 1, canary: subset('v3') }), 'v3'],
    ['stable', specOf({ revision: 1, stable: subset('v0') }), 'the release from v0'],
    ['revision', specOf({ revision: 2 }), 'revision 2'],
    ['all of them', specOf({ revision: 2, stable: subset('v2'), canary: subset('v3') }), 'v3'],
  ])('another %s may be asked for at any time: it supersedes what is under way', (_, next, wanted) => {
    const world = underWay();
    expect(refusal(world.status, next, world.spec)).toEqual([]);
    expect(wantedInstead(next, world.status ?? expect.fail())).toBe(wanted);
  });

  test('steps may change, and what is optional may be left out', () => {
    const world = underWay();
    const next = without(without(specOf({ steps: [{ weight: 100, hold: '1m' }], cache: 'private' }), 'stable'), 'revision');
    expect(refusal(world.status, next, world.spec)).toEqual([]);
  });

  test('before and after a release anything may change', () => {
    const next = specOf({ canary: subset('v3'), route: { adopt: { virtualService: 'other' } } });
    expect(refusal(undefined, next, specOf())).toEqual([]);
    const world = underWay();
    world.ask('rollback');
    expect(refusal(world.status, next, specOf())).toHaveLength(1);
    world.serve();
    expect(world.phase).toBe('RolledBack');
    expect(refusal(world.status, next, specOf())).toEqual([]);
  });
});
