import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { service } from '../../../test/harness/routes.ts';
import type { KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { ownedVirtualService } from '../release/route-form.ts';
import { compileRouting } from '../routing/compile.ts';
import { parseManifests } from '../source/manifests.ts';
import { edgeInput, releaseOf, TEN_PERCENT_DRAWN, virtualService } from './fixtures.cases.ts';
import { unweaveBase } from './unweave-base.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

// Two VirtualServices of one host in the mesh: one of them serves, the other is as if it were not there.

const TO_WEB = [{ route: [{ destination: { host: 'web', subset: 'v1' } }] }];
const ISSUE_AT_ENTRY = { visitorId: { issueAt: { virtualService: 'entry' } } };
const ENTRY = virtualService([{ route: [{ destination: { host: 'entry' } }] }], { hosts: ['shop.test'] }, 'entry');
const OLD = '2026-11-01T10:00:00Z';
const YOUNG = '2026-11-01T10:00:01Z';

/** A VirtualService that the mesh serves, unless `spec` says otherwise. */
const inMesh = (name: string, spec: object = {}, createdAt?: string, http: readonly unknown[] = TO_WEB): KubeObject => {
  const object = virtualService(http, { hosts: ['web'], gateways: ['mesh'], ...spec }, name);
  return { ...object, metadata: { ...object.metadata, ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }) } };
};

/** A release of `web` inside the mesh, with these beside its VirtualService `web`. */
const insideInput = (siblings: readonly KubeObject[], routed = inMesh('web'), changes: Partial<WeaveInput> = {}): WeaveInput => {
  const issuing = changes.issuing ?? ENTRY;
  return edgeInput([], { release: releaseOf(ISSUE_AT_ENTRY), ...changes, routed, issuing, siblings: [...siblings, routed, issuing] });
};

/** Findings about rivals as `severity object path`. */
const findings = (input: WeaveInput): string[] =>
  weaveRelease(input).diagnostics.flatMap(({ code, severity, object, path }) =>
    code === 'PERCH2019' ? [`${severity} ${object} ${path}`] : [],
  );

describe('a release inside the mesh beside another VirtualService of its host', () => {
  it('is not woven: the reason names both, and what to do', () => {
    const { routes, diagnostics } = weaveRelease(
      insideInput([inMesh('web-old', { hosts: ['other.test', 'WEB.default.svc.cluster.local'] })]),
    );
    expect(routes).toEqual([]);
    expect(diagnostics).toEqual([
      {
        code: 'PERCH2019',
        severity: 'error',
        message:
          'VirtualService default/web-old and VirtualService default/web both route web.default.svc.cluster.local in the mesh, where only the older one counts: delete one of them, or join them',
        object: 'VirtualService default/web',
        path: 'spec.hosts[0]',
        hint: 'rules of one host are merged at a gateway, but not in the mesh: the release might reach nobody',
      },
    ]);
  });

  it('neither where requests are drawn', () => {
    const release = releaseOf({ ...ISSUE_AT_ENTRY, affinity: { mode: 'canaryOnly' } });
    const input = insideInput([inMesh('web-old')], inMesh('web'), { release, plan: TEN_PERCENT_DRAWN });
    expect(findings(input)).toEqual(['error VirtualService default/web spec.hosts[0]']);
  });

  it('settled, it is woven, with a warning: everyone is at the live version by its rules, so that it can be left again', () => {
    const input = insideInput([inMesh('web-old')], inMesh('web'), { plan: { kind: 'settled', live: { subset: 'v2' } } });
    expect(findings(input)).toEqual(['warning VirtualService default/web spec.hosts[0]']);
    expect(weaveRelease(input).routes).toHaveLength(2);
    expect(unweaveBase(input, { subset: 'v2' }).routes).toHaveLength(2);
  });

  it.each<[string, KubeObject, KubeObject, string[]]>([
    ['older', inMesh('web', {}, OLD), inMesh('twin', {}, YOUNG), ['warning']],
    ['younger', inMesh('web', {}, YOUNG), inMesh('twin', {}, OLD), ['error']],
    ['of the same second: names decide, and here nobody knows the fraction', inMesh('web', {}, OLD), inMesh('twin', {}, OLD), ['error']],
    ['not created yet', inMesh('web'), inMesh('twin', {}, OLD), ['error']],
  ])('it is %s', (_what, routed, rival, severities) => {
    expect(findings(insideInput([rival], routed)).map((each) => each.split(' ')[0])).toEqual(severities);
    expect(weaveRelease(insideInput([rival], routed)).routes).toHaveLength(severities[0] === 'warning' ? 2 : 0);
  });

  const path = [{ ...TO_WEB[0], match: [{ uri: { prefix: '/a' } }] }];
  const forPort = (port: number) => [{ ...TO_WEB[0], match: [{ port }] }];
  const atGateway = [{ ...TO_WEB[0], match: [{ gateways: ['web'] }] }];
  it.each<[string, KubeObject]>([
    ['another host', inMesh('twin', { hosts: ['other'] })],
    ['the same short name in another namespace', { ...inMesh('twin'), metadata: { name: 'twin', namespace: 'away' } }],
    ['a gateway only', inMesh('twin', { gateways: ['web'] })],
    ['a wildcard, which the exact host is before', inMesh('twin', { hosts: ['*.default.svc.cluster.local'] })],
    ['no hosts: a delegate', inMesh('twin', { hosts: undefined, gateways: undefined })],
    ['no HTTP rules', inMesh('twin', { http: undefined, tcp: [{ route: [] }] })],
    ['rules for the gateway only', inMesh('twin', { gateways: ['web', 'mesh'] }, OLD, atGateway)],
  ])('%s is no rival', (_what, twin) => {
    expect(findings(insideInput([twin]))).toEqual([]);
    expect(weaveRelease(insideInput([twin])).routes).toHaveLength(2);
  });

  it.each<[string, KubeObject]>([
    ['no gateways, which means the mesh', inMesh('twin', { gateways: undefined })],
    ['gateways beside the mesh', inMesh('twin', { gateways: ['web', 'mesh'] })],
    ['some paths only: the others are lost', inMesh('twin', {}, OLD, path)],
    [
      'the host in full, of another namespace',
      { ...inMesh('twin', { hosts: ['web.default.svc.cluster.local'] }), metadata: { name: 'twin', namespace: 'away' } },
    ],
  ])('%s is a rival', (_what, twin) => {
    expect(findings(insideInput([twin]))).toEqual(['error VirtualService default/web spec.hosts[0]']);
  });

  it('rules for other ports are none: Istio leaves the host to the next one', () => {
    const routed = inMesh('web', {}, YOUNG, forPort(8080));
    expect(findings(insideInput([inMesh('twin', {}, OLD, forPort(80))], routed))).toEqual([]);
    expect(findings(insideInput([inMesh('twin', {}, OLD, forPort(8080))], routed))).toHaveLength(1);
    expect(findings(insideInput([inMesh('twin', {}, OLD)], routed))).toHaveLength(1);
  });

  it('an equal wildcard is one', () => {
    const hosts = ['*.default.svc.cluster.local'];
    expect(findings(insideInput([inMesh('twin', { hosts })], inMesh('web', { hosts })))).toHaveLength(1);
  });

  it('each rival is told once, however many hosts are shared', () => {
    const hosts = ['web', 'web.test'];
    const input = insideInput([inMesh('twin', { hosts }), inMesh('third', { hosts })], inMesh('web', { hosts: ['a.test', ...hosts] }));
    expect(findings(input)).toEqual(['error VirtualService default/web spec.hosts[1]', 'error VirtualService default/web spec.hosts[1]']);
  });
});

describe('where else it is looked for', () => {
  const rival = inMesh('rival');

  it('at the edge nothing is: a gateway merges', () => {
    const routed = virtualService(TO_WEB, { hosts: ['web'] });
    expect(findings(edgeInput([], { routed, siblings: [rival] }))).toEqual([]);
  });

  it('an object of gateways and mesh', () => {
    const routed = virtualService(TO_WEB, { hosts: ['web'], gateways: ['web', 'mesh'] });
    expect(findings(edgeInput([], { routed, siblings: [rival] }))).toEqual(['error VirtualService default/web spec.hosts[0]']);
  });

  it('the object in which ids are issued; the two of the release are told once', () => {
    const issuing = virtualService(
      [{ route: [{ destination: { host: 'entry' } }] }],
      { hosts: ['entry', 'web'], gateways: ['web', 'mesh'] },
      'entry',
    );
    expect(findings(insideInput([], inMesh('web'), { issuing }))).toEqual(['error VirtualService default/web spec.hosts[0]']);
    const beside = insideInput([inMesh('twin', { hosts: ['entry'] })], inMesh('web', { hosts: ['a.test'] }), { issuing });
    expect(findings(beside)).toEqual(['error VirtualService default/entry spec.hosts[0]']);
  });

  it('of a managed object, the finding is where its hosts are written', () => {
    const release = releaseOf({ ...ISSUE_AT_ENTRY, route: { managed: { hosts: ['a.test', 'web'], http: TO_WEB } } });
    const input = insideInput([rival], ownedVirtualService(release), { release });
    expect(findings(input)).toEqual(['error CanaryRelease default/web spec.route.managed.hosts[1]']);
  });

  const delegating = (name: string, gateways: readonly string[], more: object = {}) =>
    inMesh(name, { gateways }, OLD, [{ delegate: { name: 'web' }, ...more }]);
  const delegate = inMesh('web', { hosts: undefined, gateways: undefined });
  it.each<[string, KubeObject[], string[]]>([
    ['its root in the mesh', [delegating('root', ['mesh']), rival], ['error VirtualService default/root spec.hosts[0]']],
    ['its root at a gateway only', [delegating('root', ['web']), rival], []],
    ['a root that leads there at a gateway only', [delegating('root', ['web', 'mesh'], { match: [{ gateways: ['web'] }] }), rival], []],
    ['two roots of its own: whichever serves leads there', [delegating('root', ['mesh']), delegating('other', ['mesh'])], []],
  ])('of a delegate: %s', (_what, siblings, expected) => {
    expect(findings(insideInput(siblings, delegate))).toEqual(expected);
  });
});

describe('against the routes that the gateway compiles', () => {
  const [entry] = parseManifests(service('web', 8080), 'web.yaml').objects;
  const hosts = fc.constantFrom('web', 'web.default.svc.cluster.local', '*.default.svc.cluster.local', '*.cluster.local', 'other.test');
  const block = fc.record(
    { port: fc.constantFrom(80, 8080), gateways: fc.constantFrom(['web'], ['mesh'], ['mesh', 'web']) },
    { requiredKeys: [] },
  );
  const rules = fc
    .array(fc.array(block, { maxLength: 2 }), { minLength: 1, maxLength: 2 })
    .map((all) => all.map((match) => ({ ...TO_WEB[0], ...(match.length > 0 && { match }) })));
  const spec = fc.record({
    hosts: fc.uniqueArray(hosts, { minLength: 1, maxLength: 2 }),
    gateways: fc.constantFrom<(string[] | undefined)[]>(undefined, ['mesh'], ['mesh', 'web'], ['web']),
  });
  const objects = fc.tuple(spec, rules, fc.constantFrom(OLD, YOUNG));

  it('a release that may start is never in an object that another one keeps from its host', () => {
    let refused = 0;
    let ignored = 0;
    fc.assert(
      fc.property(objects, objects, ([spec, http, at], [otherSpec, otherHttp, otherAt]) => {
        const routed = inMesh('web', spec, at, http);
        const twin = inMesh('twin', otherSpec, otherAt, otherHttp);
        const inOrder = at < otherAt ? [routed, twin] : [twin, routed];
        const { diagnostics } = compileRouting([...(entry === undefined ? [] : [entry.object]), ...inOrder]);
        const isIgnored = diagnostics.some(({ code, object }) => code === 'PERCH1132' && object === 'VirtualService default/web');
        const isRefused = findings(insideInput([twin], routed)).some((each) => each.startsWith('error'));
        if (isIgnored) expect(isRefused).toBe(true);
        refused += Number(isRefused);
        ignored += Number(isIgnored);
      }),
      { seed: 20, numRuns: runs(3000) },
    );
    // So that neither "never" nor "always" would do.
    expect(ignored).toBeGreaterThan(atLeast(200));
    expect(refused).toBeLessThan(runs(1200));
  });
});
