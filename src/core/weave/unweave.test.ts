import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import type { Version } from '../release/canary-release.ts';
import { edgeInput, releaseOf, rulesOf, TEN_PERCENT, virtualService } from './fixtures.cases.ts';
import { isWoven, unweave, wovenReleases } from './unweave.ts';
import { unweaveBase } from './unweave-base.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

const SERVICE = { namespace: 'default', host: 'web', port: 8080 };

function woven(input: WeaveInput): KubeObject {
  const [route] = weaveRelease(input).routes;
  if (route === undefined) throw new Error('nothing was woven');
  return route.virtualService;
}

/** Destinations of the un-woven rules. */
function destinations(object: KubeObject): unknown[] {
  return rulesOf(object).map((rule) => rule.route?.[0]?.destination);
}

describe('isWoven', () => {
  it('knows a woven object by the names of its rules', () => {
    const input = edgeInput([{ name: 'perch', route: [{ destination: { host: 'web' } }] }]);
    expect(isWoven(input.routed)).toBe(false);
    expect(isWoven(woven(input))).toBe(true);
    expect(wovenReleases(woven(input))).toEqual(['default/web']);
    expect(isWoven({ apiVersion: 'v1', kind: 'VirtualService', metadata: { name: 'empty' } })).toBe(false);
  });
});

describe('unweave', () => {
  const http = [
    { name: 'pinned', match: [{ headers: { 'end-user': { exact: 'jason' } } }], route: [{ destination: { host: 'web', subset: 'v3' } }] },
    { name: 'shop', match: [{ uri: { prefix: '/shop' } }], route: [{ destination: { subset: 'v1', host: 'web' } }], timeout: '5s' },
    { route: [{ destination: { host: 'web.default.svc.cluster.local', port: { number: 8080 } } }], retries: { attempts: 2 } },
  ];

  it('gives the base back', () => {
    const input = edgeInput(http);
    expect(unweave(woven(input))).toStrictEqual(input.routed);
  });

  it('leaves an object alone that is not woven', () => {
    const object = virtualService(http);
    expect(unweave(object, { release: { namespace: 'default', name: 'web' }, service: SERVICE, version: { subset: 'v2' } })).toStrictEqual(
      object,
    );
  });

  it('points released destinations at the live version, and no others', () => {
    const object = unweave(woven(edgeInput(http)), {
      release: { namespace: 'default', name: 'web' },
      service: SERVICE,
      version: { subset: 'v2' },
    });
    expect(destinations(object)).toEqual([
      { host: 'web', subset: 'v3' },
      { host: 'web', subset: 'v2' },
      { host: 'web.default.svc.cluster.local', port: { number: 8080 }, subset: 'v2' },
    ]);
    expect(rulesOf(object).map((rule) => rule.name)).toEqual(['pinned', 'shop', undefined]);
  });

  it.each<[string, Version, Version, Version | undefined, unknown]>([
    ['from hosts, back', { host: 'web-v1' }, { host: 'web-v2' }, undefined, { host: 'web' }],
    [
      'from hosts, to one',
      { host: 'web-v1' },
      { host: 'web-v2', port: 81 },
      { host: 'web-v2', port: 81 },
      { host: 'web-v2', port: { number: 81 } },
    ],
    ['to another port of the same host, back', { host: 'web', port: 81 }, { host: 'web', port: 82 }, undefined, { host: 'web' }],
    ['from a host to a subset', { host: 'web-v1' }, { subset: 'v2' }, { subset: 'v2' }, { host: 'web', subset: 'v2' }],
    ['from a subset to a host', { subset: 'v1' }, { host: 'web-v2' }, { host: 'web-v2' }, { host: 'web-v2', port: { number: 8080 } }],
  ])('versions that are hosts: %s', (_, stable, canary, live, expected) => {
    const input = edgeInput([{ route: [{ destination: { host: 'web' } }] }], { plan: { ...TEN_PERCENT, stable, canary } });
    expect(
      destinations(
        unweave(
          woven(input),
          live === undefined ? undefined : { release: { namespace: 'default', name: 'web' }, service: SERVICE, version: live },
        ),
      ),
    ).toEqual([expected]);
  });

  it('a base that names a host version, woven to subsets: back as it was', () => {
    const base = [{ route: [{ destination: { host: 'web-v1', port: { number: 9090, note: 'kept' } } }] }];
    const input = edgeInput(base, { former: [{ host: 'web-v1', port: 9090 }] });
    const served = woven(input);
    expect(destinations(served)[0]).toEqual({ host: 'web', port: { number: 8080, note: 'kept' }, subset: 'v2' });
    expect(unweave(served)).toStrictEqual(input.routed);
  });

  it('takes the stamp out of an issuing object, and nothing of what the base adds itself', () => {
    const release = releaseOf(
      {
        service: { host: 'reviews', port: 9080 },
        route: { adopt: { virtualService: 'reviews' } },
        visitorId: { issueAt: { virtualService: 'web' } },
      },
      'reviews',
    );
    const routed = virtualService([{ route: [{ destination: { host: 'reviews' } }] }], { gateways: ['mesh'] }, 'reviews');
    const issuing = virtualService([
      { match: [{ uri: { prefix: '/a' } }], route: [{ destination: { host: 'a', subset: 'x' } }] },
      {
        match: [{ uri: { prefix: '/b' } }],
        route: [{ destination: { host: 'b' }, headers: { request: { add: { Baggage: 'tenant=b', other: '1' } } } }],
      },
      { route: [{ destination: { host: 'c' }, headers: { response: { remove: ['server'] } } }] },
    ]);
    const served = woven(edgeInput([], { release, routed, issuing }));
    expect(rulesOf(served)[9]?.route?.[0]?.headers?.request?.add).toEqual({ Baggage: 'tenant=b,perch.reviews=stable', other: '1' });
    expect(unweave(served)).toStrictEqual(issuing);
    expect(
      unweave(served, {
        release: { namespace: 'default', name: 'reviews' },
        service: { namespace: 'default', host: 'reviews', port: 9080 },
        version: { subset: 'v2' },
      }),
    ).toStrictEqual(issuing);
  });
});

describe('unweaveBase', () => {
  it('points at the live version exactly the rules that weaving moves', () => {
    const cookie = { match: [{ headers: { cookie: {} } }], route: [{ destination: { host: 'web', subset: 'v1' } }] };
    const good = { match: [{ uri: { prefix: '/good' } }], route: [{ destination: { host: 'web', subset: 'v1' } }] };
    const input = edgeInput([cookie, good]);
    const { routes, diagnostics } = unweaveBase(input, { subset: 'v2' });
    expect(routes.map((route) => destinations(route.virtualService))).toEqual([
      [
        { host: 'web', subset: 'v1' },
        { host: 'web', subset: 'v2' },
      ],
    ]);
    expect(diagnostics.map((each) => each.code)).toEqual(['PERCH2002']);
    expect(unweaveBase(edgeInput([cookie]), { subset: 'v2' }).routes).toEqual([]);
  });
});
