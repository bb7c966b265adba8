import { describe, expect, it } from 'vitest';
import { edgeInput, gatewayOf, releaseOf, rulesOf, virtualService } from './fixtures.cases.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

const TO_WEB = { route: [{ destination: { host: 'web' } }] };
/** The path of a rule beside others. */
const AT_A = [{ uri: { prefix: '/a' } }];
/** A rule that can be woven, so that the one under test is a warning and no more. */
const GOOD = { match: [{ uri: { prefix: '/good' } }], ...TO_WEB };

/** Findings of weaving at the edge, as `code severity path`. */
function findings(http: readonly unknown[], changes: Partial<WeaveInput> = {}): string[] {
  return weaveRelease(edgeInput(http, changes)).diagnostics.map(({ code, severity, path }) => `${code} ${severity} ${path}`);
}

/** Which base rules were woven, by their names. */
function wovenNames(http: readonly unknown[], changes: Partial<WeaveInput> = {}): (string | undefined)[] {
  const rules = rulesOf(weaveRelease(edgeInput(http, changes)).routes[0]?.virtualService);
  return rules.filter((rule) => rule.name?.includes(':rest:')).map((rule) => rule.name?.split(':')[5]);
}

describe('which rules are woven', () => {
  it('those whose single destination is the service, at no subset or at one that visitors had or have', () => {
    const to = (name: string, destination: object) => ({ name, match: [{ uri: { exact: `/${name}` } }], route: [{ destination }] });
    const http = [
      to('none', { host: 'web' }),
      to('stable', { host: 'web', subset: 'v1' }),
      to('former', { host: 'web', subset: 'v0' }),
      to('full-name', { host: 'web.default.svc.cluster.local' }),
      to('port', { host: 'web', port: { number: 8080 } }),
      to('canary', { host: 'web', subset: 'v2' }),
      to('pinned', { host: 'web', subset: 'v9' }),
      to('other-port', { host: 'web', port: { number: 81 } }),
      to('other-service', { host: 'other' }),
      to('other-namespace', { host: 'web.other.svc.cluster.local' }),
      // Not a short name in Istio: a dot makes it a full one.
      to('dotted', { host: 'web.default' }),
    ];
    expect(wovenNames(http, { former: [{ subset: 'v0' }] })).toEqual(['none', 'stable', 'former', 'full-name', 'port']);
    expect(findings(http, { former: [{ subset: 'v0' }] })).toEqual([
      'PERCH2008 info spec.http[5].route[0].destination.subset',
      'PERCH2008 info spec.http[6].route[0].destination.subset',
    ]);
  });

  it('also those that lead to another host that is a version', () => {
    const http = [{ name: 'old', route: [{ destination: { host: 'web-v1', port: { number: 9090 } } }] }];
    expect(wovenNames(http, { former: [{ host: 'web-v1', port: 9090 }] })).toEqual(['old']);
    const withSubset = [{ route: [{ destination: { host: 'web-v1', subset: 'x' } }] }];
    expect(findings(withSubset, { former: [{ host: 'web-v1' }] })).toEqual(['PERCH2001 error spec.http']);
    expect(findings(http, { former: [{ host: 'web-v1', port: 9091 }] })).toEqual(['PERCH2001 error spec.http']);
  });

  it('what is not woven stays where it is, as it is', () => {
    const redirect = { name: 'away', match: [{ uri: { prefix: '/away' } }], redirect: { uri: '/there' } };
    const pinned = { match: [{ headers: { 'end-user': { exact: 'jason' } } }], route: [{ destination: { host: 'web', subset: 'v3' } }] };
    const last = { name: 'last', route: [{ destination: { host: 'other' } }] };
    const rules = rulesOf(weaveRelease(edgeInput([redirect, pinned, GOOD, last])).routes[0]?.virtualService);
    expect([rules[0], rules[1], rules[7]]).toEqual([redirect, pinned, last]);
    expect(findings([redirect, pinned, GOOD, last])).toEqual([
      'PERCH2007 info spec.http[0].redirect',
      'PERCH2008 info spec.http[1].route[0].destination.subset',
    ]);
  });
});

describe('what cannot be woven is a warning with the place', () => {
  it.each<[string, object, string[]]>([
    [
      'a match on a header that weaving needs, whatever its case',
      {
        match: [{ uri: { prefix: '/a' }, headers: { ok: {}, Cookie: { regex: '.*' } } }, { headers: { 'X-Request-Id': {}, ACCEPT: {} } }],
        ...TO_WEB,
      },
      [
        'PERCH2002 warning spec.http[0].match[0].headers',
        'PERCH2002 warning spec.http[0].match[1].headers',
        'PERCH2002 warning spec.http[0].match[1].headers',
      ],
    ],
    [
      'a match on :path where the guard needs it',
      { match: [{ uri: { prefix: '/a' }, headers: { ':path': { prefix: '/a?' } } }], ...TO_WEB },
      ['PERCH2002 warning spec.http[0].match[0].headers'],
    ],
    [
      'weights',
      {
        match: AT_A,
        route: [
          { destination: { host: 'web', subset: 'v1' }, weight: 90 },
          { destination: { host: 'web', subset: 'v2' }, weight: 10 },
        ],
      },
      ['PERCH2003 warning spec.http[0].route'],
    ],
    [
      'a Set-Cookie that the destination adds',
      { match: AT_A, route: [{ destination: { host: 'web' }, headers: { response: { add: { 'SET-COOKIE': 'a=1' } } } }] },
      ['PERCH2004 warning spec.http[0].route[0].headers.response.add'],
    ],
    ['a delegate', { delegate: { name: 'web-routes' } }, ['PERCH2005 warning spec.http[0].delegate']],
    [
      'everything at once',
      {
        match: [{ headers: { cookie: {} } }],
        route: [{ destination: { host: 'web' }, headers: { response: { add: { 'set-cookie': 'a=1' } } } }],
      },
      ['PERCH2002 warning spec.http[0].match[0].headers', 'PERCH2004 warning spec.http[0].route[0].headers.response.add'],
    ],
  ])('%s', (_, rule, expected) => {
    expect(findings([rule, GOOD])).toEqual(expected);
    expect(rulesOf(weaveRelease(edgeInput([rule, GOOD])).routes[0]?.virtualService)[0]).toEqual(rule);
    // On its own there is nothing left to release: an error, and no routes.
    expect(findings([rule])).toEqual([...expected, 'PERCH2001 error spec.http']);
    expect(weaveRelease(edgeInput([rule])).routes).toEqual([]);
  });

  it('names the header, and a remedy', () => {
    const [finding] = weaveRelease(edgeInput([{ match: [{ headers: { Cookie: {} } }], ...TO_WEB }, GOOD])).diagnostics;
    expect(finding).toMatchObject({ object: 'VirtualService default/web', message: expect.stringContaining('matches on Cookie') });
    expect(finding?.hint).toContain('Cookie');
  });

  it.each<[string, object, WeaveInput['release']]>([
    ['withoutHeaders, a map of its own', { match: [{ withoutHeaders: { cookie: {} } }], ...TO_WEB }, releaseOf()],
    [
      'accept, where ids are issued on all requests',
      { match: [{ headers: { accept: {} } }], ...TO_WEB },
      releaseOf({ visitorId: { issueOn: 'all' } }),
    ],
    ['baggage at the edge', { match: [{ headers: { baggage: {} } }], ...TO_WEB }, releaseOf()],
    [
      'a match on :path beside a regex, which has no guard',
      { match: [{ uri: { regex: '/a.*' }, headers: { ':path': {} } }], ...TO_WEB },
      releaseOf(),
    ],
    [
      'a destination that sets Set-Cookie: sets come before adds',
      { route: [{ destination: { host: 'web' }, headers: { response: { set: { 'set-cookie': 'a' } } } }] },
      releaseOf(),
    ],
  ])('but not %s', (_, rule, release) => {
    expect(findings([rule], { release })).toEqual([]);
  });

  it('TCP and TLS routes to the service are told, those to others are not', () => {
    const routed = virtualService([GOOD], {
      tcp: [{ route: [{ destination: { host: 'other' } }] }, { route: [{ destination: { host: 'web' } }] }],
      tls: [{ match: [{ sniHosts: ['web.test'] }], route: [{ destination: { host: 'web', port: { number: 8080 } } }] }],
    });
    expect(findings([], { routed })).toEqual(['PERCH2006 warning spec.tcp[1]', 'PERCH2006 warning spec.tls[0]']);
  });

  it('nothing leads to the service: the error says to where', () => {
    const { diagnostics } = weaveRelease(edgeInput([{ route: [{ destination: { host: 'other' } }] }]));
    expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
      ['PERCH2001', 'no rule of VirtualService default/web leads to web.default.svc.cluster.local port 8080'],
    ]);
  });
});

describe('where no rule is woven, the error says whether one leads to the service', () => {
  const said = (http: readonly unknown[], changes: Partial<WeaveInput> = {}) =>
    weaveRelease(edgeInput(http, changes)).diagnostics.at(-1)?.message;
  const CANNOT = 'no rule of VirtualService default/web that leads to web.default.svc.cluster.local port 8080 can be woven';
  const NONE = 'no rule of VirtualService default/web leads to web.default.svc.cluster.local port 8080';
  const two = [{ destination: { host: 'web' } }, { destination: { host: 'other' } }];

  it.each<[string, object, string]>([
    ['it delegates', { delegate: { name: 'far' } }, CANNOT],
    ['it is weighted', { route: two }, CANNOT],
    ['it is pinned', { route: [{ destination: { host: 'web', subset: 'v9' } }] }, CANNOT],
    ['it matches on what weaving needs', { match: [{ headers: { cookie: {} } }], ...TO_WEB }, CANNOT],
    ['it answers by itself', { redirect: { uri: '/' } }, NONE],
    ['it leads elsewhere', { route: [{ destination: { host: 'other' } }] }, NONE],
  ])('%s', (_, rule, message) => {
    expect(said([rule])).toBe(message);
  });
});

describe('matches by source, where gateways and mesh lead here', () => {
  const BOTH = { gateways: ['default/web', 'mesh'] };
  const bySource = (block: object) => ({ match: [{ sourceLabels: { app: 'page' }, ...block }], ...TO_WEB });
  const codes = (block: object, spec: object = BOTH, release = releaseOf()) =>
    findings([], { release, routed: virtualService([GOOD, bySource(block)], spec as Readonly<Record<string, unknown>>) });

  it('issue no ids, unless they name the gateway, or it is bound to one side only', () => {
    expect(codes({})).toEqual(['PERCH2015 info spec.http[1].match[0]']);
    expect(codes({ gateways: ['default/web'] })).toEqual([]);
    expect(codes({}, { gateways: ['default/web'] })).toEqual([]);
  });

  it('say nothing at a hop, where none are issued', () => {
    const service = {
      service: { host: 'web', port: 8080 },
      visitorId: { issueAt: { virtualService: 'entry' }, propagate: ['cookie', 'requestId'] },
    };
    const issuing = virtualService(
      [{ match: [{ uri: { prefix: '/entry' } }], route: [{ destination: { host: 'entry' } }] }],
      { hosts: ['entry.test'] },
      'entry',
    );
    const routed = virtualService([GOOD, bySource({})], BOTH);
    expect(findings([], { release: releaseOf(service), routed, issuing })).toEqual([]);
  });
});

const SHARED = ['PERCH2009 warning spec.http[0]', 'PERCH2001 error spec.http'];

describe('a catch-all whose host and gateway are shared would overtake', () => {
  const sibling = virtualService([{ match: [{ uri: { prefix: '/api' } }], route: [{ destination: { host: 'api' } }] }], {}, 'api');

  it.each<[string, object, string[]]>([
    ['no match', TO_WEB, SHARED],
    [
      'prefix /',
      { match: [{ uri: { prefix: '/' } }], ...TO_WEB },
      ['PERCH2009 warning spec.http[0].match[0]', 'PERCH2001 error spec.http'],
    ],
    [
      'regex .*',
      { match: [{ uri: { regex: '.*' } }], ...TO_WEB },
      ['PERCH2009 warning spec.http[0].match[0]', 'PERCH2001 error spec.http'],
    ],
    ['a path', { match: [{ uri: { prefix: '/web' } }], ...TO_WEB }, []],
    ...['method', 'authority', 'scheme'].map((field): [string, object, string[]] => [
      `prefix / with a condition on ${field}, which Istio does not sort either`,
      { match: [{ uri: { prefix: '/' }, [field]: { exact: 'x' } }], ...TO_WEB },
      [],
    ]),
  ])('%s', (_, rule, expected) => {
    expect(findings([rule], { siblings: [sibling] })).toEqual(expected);
    expect(findings([rule], { siblings: [] })).toEqual([]);
  });

  it.each<[string, WeaveInput['siblings'], WeaveInput['gateways'], boolean]>([
    ['itself among the siblings', [virtualService([TO_WEB])], [gatewayOf()], false],
    ['another host', [virtualService([TO_WEB], { hosts: ['api.test'] }, 'api')], [gatewayOf()], false],
    ['another gateway, not known', [virtualService([TO_WEB], { gateways: ['b'] }, 'api')], [], false],
    ['the mesh only', [virtualService([TO_WEB], { gateways: ['mesh'] }, 'api')], [gatewayOf()], false],
    ['no HTTP rules', [virtualService([], {}, 'api')], [gatewayOf()], false],
    ['the same gateway by its full name', [virtualService([TO_WEB], { gateways: ['default/web'] }, 'api')], [], true],
    [
      'another gateway of the same proxies and port',
      [virtualService([TO_WEB], { gateways: ['b'] }, 'api')],
      [gatewayOf(), gatewayOf('HTTP', 'b')],
      true,
    ],
    [
      'another gateway of other proxies',
      [virtualService([TO_WEB], { gateways: ['b'] }, 'api')],
      [gatewayOf(), gatewayOf('HTTP', 'b', { selector: { istio: 'private' } })],
      false,
    ],
    ['a wildcard beside it is a virtual host of its own', [virtualService([TO_WEB], { hosts: ['*'] }, 'api')], [gatewayOf()], false],
  ])('shared or not: %s', (_, siblings, gateways, shared) => {
    expect(findings([TO_WEB], { siblings, gateways })).toEqual(shared ? SHARED : []);
  });

  it('hosts that the server narrows to one are one virtual host', () => {
    const narrow = gatewayOf('HTTP', 'web', { servers: [{ port: { number: 80, name: 'web', protocol: 'HTTP' }, hosts: ['web.test'] }] });
    const siblings = [virtualService([TO_WEB], { hosts: ['*'] }, 'api')];
    expect(findings([TO_WEB], { siblings, gateways: [narrow] })).toEqual(SHARED);
  });
});

describe('an internal service', () => {
  const release = releaseOf({
    service: { host: 'reviews', port: 9080 },
    route: { adopt: { virtualService: 'reviews' } },
    visitorId: { issueAt: { virtualService: 'web' } },
  });
  const routed = virtualService([{ route: [{ destination: { host: 'reviews' } }] }], { hosts: ['reviews'], gateways: ['mesh'] }, 'reviews');
  const issuing = virtualService([GOOD]);
  const internal = (changes: Partial<WeaveInput>) => findings([], { release, routed, issuing, ...changes });

  it('weaves both objects without a finding', () => {
    expect(internal({})).toEqual([]);
  });

  it('needs a place to issue ids that browsers reach', () => {
    const path = 'spec.visitorId.issueAt.virtualService';
    expect(internal({ issuing: undefined })).toEqual([`PERCH2010 error ${path}`]);
    expect(internal({ issuing: undefined, release: releaseOf({ ...release.spec, visitorId: {} }) })).toEqual([`PERCH2010 error ${path}`]);
    expect(internal({ issuing: virtualService([GOOD], { gateways: ['mesh'] }) })).toEqual([`PERCH2010 error ${path}`]);
    expect(internal({ issuing: virtualService([GOOD], { gateways: undefined }) })).toEqual([`PERCH2010 error ${path}`]);
  });

  it('takes the routed object where issueAt names that, and it is bound to a gateway', () => {
    const self = releaseOf({ visitorId: { issueAt: { virtualService: 'web' } } });
    expect(findings([GOOD], { release: self, issuing: undefined })).toEqual([]);
    expect(findings([GOOD], { release: self, issuing: virtualService([GOOD]) })).toEqual([]);
  });

  it('counts its own two objects as sharing a host, each for the other and whether or not they are among the siblings', () => {
    const entry = virtualService([TO_WEB]);
    const inside = virtualService([{ route: [{ destination: { host: 'reviews' } }] }], {}, 'reviews');
    const withPath = (object: typeof entry) => ({
      ...object,
      spec: { ...object.spec, http: rulesOf(object).map((rule) => ({ ...rule, match: object === entry ? GOOD.match : AT_A })) },
    });
    for (const siblings of [[], [entry, inside]]) {
      expect(internal({ issuing: withPath(entry), routed: withPath(inside), siblings })).toEqual([]);
      expect(internal({ issuing: entry, routed: withPath(inside), siblings })).toEqual([
        ...SHARED.slice(0, 1),
        'PERCH2011 error spec.http',
      ]);
      expect(internal({ issuing: withPath(entry), routed: inside, siblings })).toEqual(SHARED);
    }
  });

  it('needs a rule there that can issue them', () => {
    const cookie = { match: [{ headers: { cookie: {} } }], route: [{ destination: { host: 'productpage' } }] };
    expect(internal({ issuing: virtualService([cookie]) })).toEqual([
      'PERCH2002 warning spec.http[0].match[0].headers',
      'PERCH2011 error spec.http',
    ]);
  });

  it('cannot obey where a rule already matches on what tells the cohort', () => {
    const matching = virtualService(
      [{ match: [{ headers: { Baggage: {} } }], route: [{ destination: { host: 'reviews' } }] }],
      { gateways: ['mesh'] },
      'reviews',
    );
    expect(internal({ routed: matching })).toEqual(['PERCH2002 warning spec.http[0].match[0].headers', 'PERCH2001 error spec.http']);
  });

  it('several destinations at the gateway are fine, unless the rule undoes what weaving adds to them', () => {
    const route = [
      { destination: { host: 'a' }, weight: 1 },
      { destination: { host: 'b' }, weight: 1 },
    ];
    expect(internal({ issuing: virtualService([{ route }]) })).toEqual([]);
    const undoing = { match: AT_A, route, headers: { request: { remove: ['Baggage'] }, response: { set: { 'Set-Cookie': 'a=1' } } } };
    expect(internal({ issuing: virtualService([undoing, GOOD]) })).toEqual([
      'PERCH2014 warning spec.http[0].headers.response',
      'PERCH2014 warning spec.http[0].headers.request',
    ]);
    // With one destination Envoy applies the rule's removals first: nothing is lost.
    expect(internal({ issuing: virtualService([{ ...undoing, route: [{ destination: { host: 'a' } }] }]) })).toEqual([]);
  });

  it('does not share an object with another release', () => {
    const other = weaveRelease(
      edgeInput([], { release: { ...release, metadata: { namespace: 'default', name: 'other' } }, routed, issuing }),
    );
    expect(internal({ issuing: other.routes[0]?.virtualService })).toEqual(['PERCH2012 error spec.http']);
    expect(internal({ routed: other.routes[1]?.virtualService ?? routed })).toEqual(['PERCH2012 error spec.http']);
  });
});
