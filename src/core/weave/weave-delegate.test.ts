import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { headOf, selectAt, service, subsets } from '../../../test/harness/routes.ts';
import type { KubeObject } from '../istio/resources.ts';
import { validateRoutingObject } from '../istio/validate.ts';
import { ownedVirtualService } from '../release/route-form.ts';
import { compileRouting } from '../routing/compile.ts';
import { applyHeaderEdits } from '../routing/header-edits.ts';
import type { RouteTable, Selection } from '../routing/selection.ts';
import { parseManifests } from '../source/manifests.ts';
import { BUCKETS } from '../visitor/bucket.ts';
import { edgeInput, gatewayOf, releaseOf, rulesOf, TEN_PERCENT, virtualService } from './fixtures.cases.ts';
import { servedRuleNames } from './rule-name.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

const TO_WEB = [{ destination: { host: 'web' } }];
const DELEGATE = { name: 'web-perch', namespace: 'default' };

/** A root `shop`; its rules delegate unless they say otherwise. */
function rootOf(rules: readonly object[], spec: object = {}, namespace = 'default', name = 'shop'): KubeObject {
  const http = rules.map((rule) => ('route' in rule ? rule : { ...rule, delegate: DELEGATE }));
  const root = virtualService(http, { gateways: ['default/web'], ...spec }, name);
  return { ...root, metadata: { ...root.metadata, namespace } };
}

/** A release that owns the delegate `web-perch` with these rules, and the roots that lead there. */
function delegateInput(http: readonly object[], roots: readonly KubeObject[], spec: object = {}): WeaveInput {
  const release = releaseOf({ route: { delegate: { name: 'web-perch', http } }, ...spec });
  return edgeInput([], { release, routed: ownedVirtualService(release) ?? virtualService([]), siblings: roots });
}

/** Findings as `code severity object path`. */
function findings(input: WeaveInput): string[] {
  return weaveRelease(input).diagnostics.map(({ code, severity, object, path }) => `${code} ${severity} ${object} ${path}`);
}

/** Guards of the rule for new visitors: of each block the `:path` that it asks for. */
function guards(input: WeaveInput): unknown[] {
  const rules = rulesOf(weaveRelease(input).routes[0]?.virtualService);
  const issuing = rules.find((rule) => rule.name?.includes(':known:canary:'));
  return (issuing?.match ?? []).map((block) => block.headers?.[':path']);
}

const SHOP = rootOf([{ name: 'shop', match: [{ uri: { prefix: '/shop' } }] }]);

describe('a delegate at the edge', () => {
  it('woven at 10 %, it is src/core/weave/examples/edge-delegate.yaml', async () => {
    const http = [{ name: 'api', match: [{ uri: { prefix: '/shop/api' } }], timeout: '5s', route: TO_WEB }, { route: TO_WEB }];
    const { routes, diagnostics } = weaveRelease(delegateInput(http, [SHOP]));
    expect(diagnostics).toEqual([]);
    expect(routes.map(({ name }) => name)).toEqual(['web-perch']);
    await expect(stringify(routes[0]?.virtualService, { lineWidth: 0, aliasDuplicateObjects: false })).toMatchFileSnapshot(
      'examples/edge-delegate.yaml',
    );
  });

  it('the one that a release owns and one that it adopts are woven alike', () => {
    const input = delegateInput([{ route: TO_WEB }], [SHOP]);
    const adopted = weaveRelease({ ...input, release: releaseOf({ route: { adopt: { virtualService: 'web-perch' } } }) });
    expect(adopted).toEqual(weaveRelease(input));
    expect(adopted.routes).toHaveLength(1);
  });

  it('a root in another namespace leads there by its own names', () => {
    const root = rootOf([{ match: [{ uri: { prefix: '/shop' } }] }], { gateways: ['default/web', 'mesh'] }, 'edge');
    const rules = rulesOf(weaveRelease(delegateInput([{ route: TO_WEB }], [root])).routes[0]?.virtualService);
    const gateways = (role: string) =>
      rules.filter((rule) => rule.name?.includes(role)).flatMap(({ match }) => match?.map((each) => each.gateways));
    expect(gateways(':new:')).toEqual([['default/web'], ['default/web'], ['default/web'], ['default/web']]);
    expect(gateways(':known:')).toEqual([undefined, undefined]);
  });

  it.each([
    ['HTTPS', true],
    ['HTTP', false],
  ] as const)('the cookie follows the gateway of the root: %s', (protocol, secure) => {
    const input = { ...delegateInput([{ route: TO_WEB }], [SHOP]), gateways: [gatewayOf(protocol)] };
    expect(JSON.stringify(weaveRelease(input).routes).includes('; Secure')).toBe(secure);
  });

  it('what the root has for all its rules, the delegate’s woven rules still inherit: none of them has it itself', () => {
    const { routes } = weaveRelease(
      delegateInput([{ route: TO_WEB }], [rootOf([{ timeout: '3s', headers: { request: { add: { a: '1' } } } }])]),
    );
    for (const rule of rulesOf(routes[0]?.virtualService)) expect([rule.timeout, rule.headers]).toEqual([undefined, undefined]);
  });
});

describe('the guard, which must hold whatever the root lets in', () => {
  const toWeb = { route: TO_WEB };
  it.each<[string, object, object[], unknown[]]>([
    ['the rule’s own path', { match: [{ uri: { prefix: '/shop/a' } }], ...toWeb }, [{ uri: { prefix: '/shop' } }], [{ prefix: '/shop/a' }]],
    ['else the root’s', toWeb, [{ uri: { prefix: '/shop' } }], [{ prefix: '/shop' }]],
    [
      'else what all paths of the root begin with',
      toWeb,
      [{ uri: { prefix: '/shop/a' } }, { uri: { exact: '/shop/b' } }],
      [{ prefix: '/shop/' }],
    ],
    ['none, where they begin with a slash only', toWeb, [{ uri: { prefix: '/a' } }, { uri: { prefix: '/b' } }], [undefined]],
    ['none, where one takes every path', toWeb, [{ uri: { prefix: '/a' } }, { method: { exact: 'GET' } }], [undefined]],
    ['none, where the root’s is a regex', toWeb, [{ uri: { regex: '/a.*' } }], [undefined]],
    ['none, where case does not count', toWeb, [{ uri: { prefix: '/a' }, ignoreUriCase: true }], [undefined]],
    [
      'none, where the root matches on :path itself',
      toWeb,
      [{ uri: { prefix: '/a' }, headers: { ':path': { prefix: '/a/b' } } }],
      [undefined],
    ],
    [
      'none, where the rule does',
      { match: [{ headers: { ':path': { prefix: '/a/b' } } }], ...toWeb },
      [{ uri: { prefix: '/a' } }],
      [{ prefix: '/a/b' }],
    ],
  ])('%s', (_, rule, match, expected) => {
    expect(guards(delegateInput([rule], [rootOf([{ match }])]))).toEqual(expected);
  });

  it('with two roots, what the paths of both begin with', () => {
    const other = rootOf([{ match: [{ uri: { prefix: '/shopping' } }] }], { hosts: ['b.test'] }, 'default', 'other');
    expect(guards(delegateInput([toWeb], [SHOP, other]))).toEqual([{ prefix: '/shop' }]);
  });
});

describe('what the root has to repeat', () => {
  it.each([{ ignoreUriCase: true }, { sourceNamespace: 'front' }])('a rule without a match says it too: %j', (wanted) => {
    const root = rootOf([{ match: [{ uri: { prefix: '/shop' }, ...wanted }] }]);
    const rules = rulesOf(weaveRelease(delegateInput([{ route: TO_WEB }], [root])).routes[0]?.virtualService);
    for (const rule of rules.filter(({ match }) => match !== undefined)) {
      for (const block of rule.match ?? []) expect(block).toMatchObject(wanted);
    }
    expect(rules.at(-1)?.match).toBeUndefined();
    expect(rules).toHaveLength(5);
  });
});

describe('what stands in the way', () => {
  const toWeb = { route: TO_WEB };
  const both = { gateways: ['default/web', 'mesh'] };
  const release = 'CanaryRelease default/web';
  const none = `PERCH2001 error ${release} spec.route.delegate.http`;

  it('inside, behind another object that issues ids, no root is an error too: nobody would reach the release', () => {
    const issuing = virtualService([{ route: [{ destination: { host: 'shop' } }] }], {}, 'entry');
    const spec = { visitorId: { issueAt: { virtualService: 'entry' } } };
    const inside = (roots: readonly KubeObject[]) => findings({ ...delegateInput([toWeb], roots, spec), issuing });
    expect(inside([])).toEqual([`PERCH2018 error ${release} spec.route.delegate.name`]);
    expect(inside([rootOf([{}], { gateways: undefined, hosts: ['web'] })])).toEqual([]);
  });

  it.each<[string, object[], KubeObject[], string[]]>([
    ['nothing', [toWeb], [SHOP], []],
    ['no root', [toWeb], [], [`PERCH2018 error ${release} spec.route.delegate.name`]],
    [
      'a root that means another namespace',
      [toWeb],
      [rootOf([{ delegate: { name: 'web-perch' }, route: undefined }], {}, 'edge')],
      [`PERCH2018 error ${release} spec.route.delegate.name`],
    ],
    [
      'a root in the mesh only, and no place to issue ids',
      [toWeb],
      [rootOf([{}], { gateways: undefined })],
      [`PERCH2010 error ${release} spec.visitorId.issueAt.virtualService`],
    ],
    [
      'roots that match on what weaving needs, each named',
      [toWeb],
      [rootOf([{ match: [{ headers: { Cookie: {}, 'x-ok': {} } }, { headers: { 'x-request-id': {} } }] }])],
      [
        'PERCH2002 warning VirtualService default/shop spec.http[0].match[0].headers',
        'PERCH2002 warning VirtualService default/shop spec.http[0].match[1].headers',
        none,
      ],
    ],
    [
      'a root that matches on a header that does not matter',
      [toWeb],
      [rootOf([{ match: [{ headers: { baggage: {}, 'x-ok': {} } }] }])],
      [],
    ],
    [
      'roots that differ where a match would have to repeat them',
      [toWeb],
      [rootOf([{ match: [{ ignoreUriCase: true }, { uri: { prefix: '/a' } }] }])],
      [`PERCH2017 warning ${release} spec.route.delegate.http[0]`, none],
    ],
    [
      'not for a rule that has a match: it fits or it does not',
      [{ match: [{ uri: { prefix: '/a/b' } }], ...toWeb }],
      [rootOf([{ match: [{ ignoreUriCase: true }, { uri: { prefix: '/a' } }] }])],
      [],
    ],
    [
      'gateways and mesh, and a root’s match for some of them',
      [toWeb],
      [rootOf([{ match: [{ gateways: ['default/web'], uri: { prefix: '/a' } }, { uri: { prefix: '/b' } }] }], both)],
      ['PERCH2017 warning VirtualService default/shop spec.http[0].match[0]', none],
    ],
    [
      'nothing, where such matches leave gateways only',
      [toWeb],
      [rootOf([{ match: [{ gateways: ['default/web'], uri: { prefix: '/a' } }] }], both)],
      [],
    ],
    [
      'a rule that one root excludes, in part for gateways only',
      [{ match: [{ uri: { prefix: '/a' }, gateways: ['mesh'] }, { uri: { prefix: '/b' } }], ...toWeb }],
      [rootOf([{ match: [{ uri: { prefix: '/b' } }] }], both)],
      [`PERCH2017 warning ${release} spec.route.delegate.http[0].match`, none],
    ],
    [
      'a root whose operation on a header would undo an addition, where there are several destinations',
      [
        {
          match: [{ uri: { prefix: '/shop/a' } }],
          route: [
            { destination: { host: 'web' }, weight: 1 },
            { destination: { host: 'web' }, weight: 1 },
          ],
        },
        toWeb,
      ],
      [SHOP],
      [`PERCH2003 warning ${release} spec.route.delegate.http[0].route`],
    ],
  ])('%s', (_, http, roots, expected) => {
    expect(findings(delegateInput(http, roots))).toEqual(expected);
    expect(weaveRelease(delegateInput(http, roots)).routes).toHaveLength(expected.some((each) => each.includes(' error ')) ? 0 : 1);
  });

  it('says what to do where nothing delegates', () => {
    const hints = (roots: KubeObject[]) => weaveRelease(delegateInput([{ route: TO_WEB }], roots)).diagnostics.map(({ hint }) => hint);
    expect(hints([])).toEqual(['let a rule of a VirtualService that has hosts say delegate: {name: web-perch, namespace: default}']);
    const edge = { ...virtualService([{ delegate: { name: 'web-perch' } }], {}, 'shop'), metadata: { name: 'shop', namespace: 'edge' } };
    expect(hints([edge])).toEqual(['VirtualService edge/shop delegates to web-perch of another namespace: write namespace: default there']);
  });

  it('a root’s operations that its delegate inherits, where a draw would turn their order round', () => {
    const root = rootOf([{ headers: { response: { set: { 'set-cookie': 'a=1' } } } }]);
    const drawn = releaseOf({
      route: { delegate: { name: 'web-perch', http: [{ route: TO_WEB }] } },
      affinity: { mode: 'canaryOnly' },
    });
    const input = { ...delegateInput([{ route: TO_WEB }], [root]), release: drawn };
    const plan = {
      kind: 'draw',
      stable: { subset: 'v1' },
      canary: { subset: 'v2' },
      weight: 10,
      cookie: { name: 'c', value: 'v', maxAge: 60 },
    } as const;
    expect(findings({ ...input, plan })).toEqual(['PERCH2014 warning VirtualService default/shop spec.http[0].headers.response', none]);
    expect(findings(input)).toEqual([]);
  });

  it('a rule that takes all that a root lets in would, woven, overtake the routes of another VirtualService of the host', () => {
    const other = virtualService([{ match: [{ uri: { prefix: '/other' } }], ...toWeb }], {}, 'other');
    const all = rootOf([{ match: [{ uri: { prefix: '/' } }] }]);
    const input = (roots: KubeObject[], rule: object = toWeb) => delegateInput([rule], [...roots, other]);
    const refused = [`PERCH2009 warning ${release} spec.route.delegate.http[0]`, none];
    expect(findings(input([all]))).toEqual(refused);
    expect(findings(input([rootOf([{}])]))).toEqual(refused);
    expect(findings(input([SHOP]))).toEqual([]);
    expect(findings(input([all], { match: [{ uri: { prefix: '/shop' } }], ...toWeb }))).toEqual([]);
    // Of two roots the one that shares no host may lead everything there.
    expect(findings(input([SHOP, rootOf([{}], { hosts: ['b.test'] }, 'default', 'b')]))).toEqual([]);
    expect(weaveRelease(input([all])).diagnostics[0]?.message).toBe(
      'the rule is not woven: through VirtualService default/shop it takes every path of a host that it shares with VirtualService default/other, and woven it would overtake the routes there',
    );
  });

  it('an object beside a root shares its host, too', () => {
    const release = releaseOf();
    const routed = virtualService([{ ...toWeb }]);
    expect(findings(edgeInput([], { release, routed, siblings: [SHOP] }))).toEqual([
      'PERCH2009 warning VirtualService default/web spec.http[0]',
      'PERCH2001 error VirtualService default/web spec.http',
    ]);
  });
});

describe('a rule that delegates', () => {
  it('stays as it is, and says where to release instead', () => {
    const http = [
      { match: [{ uri: { prefix: '/far' } }], delegate: { name: 'far', namespace: 'b' } },
      { match: [{ uri: { prefix: '/a' } }], route: TO_WEB },
    ];
    const { routes, diagnostics } = weaveRelease(edgeInput(http));
    expect(rulesOf(routes[0]?.virtualService)[0]).toEqual(http[0]);
    expect(diagnostics.map(({ code, message, hint }) => [code, message, hint])).toEqual([
      [
        'PERCH2005',
        'the rule is not woven: its routes stand in the delegate b/far',
        'release through the delegate: name it in route.adopt, or let Perch own it with route.delegate',
      ],
    ]);
  });
});

/** What the gateway, or a sidecar, makes of objects and a woven delegate. */
function tableOf(input: WeaveInput): RouteTable {
  const { routes, diagnostics } = weaveRelease(input);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const edge = gatewayOf('HTTP', 'web', {
    servers: [{ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
  });
  const texts = [service('web', 8080, ['v1', 'v2']), subsets('web', ['v1', 'v2']), service('other', 8080)];
  const others = texts.flatMap((text) => parseManifests(text, 'test.yaml').objects.map(({ object }) => object));
  const objects = [edge, ...others, ...input.siblings, ...routes.map(({ virtualService: woven }) => woven)];
  expect(objects.flatMap((object) => validateRoutingObject(object)).filter(({ severity }) => severity === 'error')).toEqual([]);
  return compileRouting(objects).table;
}

describe('root and delegate together, as the gateway serves them', () => {
  const ids = (bucket: number) => `3f2a9c1e-7b54-4d21-9e0a-${bucket.toString(16).padStart(3, '0')}777777777`;
  const roots = [
    rootOf([
      { name: 'shop', match: [{ uri: { prefix: '/shop' } }, { uri: { prefix: '/cart' }, method: { exact: 'GET' } }] },
      { name: 'other', match: [{ uri: { prefix: '/other' } }], route: [{ destination: { host: 'other', port: { number: 8080 } } }] },
    ]),
    rootOf(
      [{ match: [{ uri: { prefix: '/b' } }], headers: { response: { remove: ['set-cookie'], set: { 'cache-control': 'no-cache' } } } }],
      { hosts: ['b.test'] },
      'edge',
      'b',
    ),
  ];
  const table = tableOf(
    delegateInput(
      [
        { name: 'api', match: [{ uri: { prefix: '/shop/api' } }], route: [{ destination: { host: 'web', port: { number: 8080 } } }] },
        { name: 'rest', route: [{ destination: { host: 'web', port: { number: 8080 } } }] },
      ],
      roots,
    ),
  );
  const at = (line: string, headers: Record<string, string>): Selection => selectAt(table, 'ingress 8080', { line, headers });
  const isIssued = (selection: Selection) => selection.kind === 'forward' && JSON.stringify(selection.response).includes('perch=');

  it.each(['http://web.test/shop/api/1', 'http://web.test/shop', 'http://web.test/cart', 'http://b.test/b/x'])(
    '%s: new visitors get the id that decides, and keep their version: all buckets',
    (url) => {
      let wrong = 0;
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const version = bucket < TEN_PERCENT.cutoff ? 'v2' : 'v1';
        const first = at(`GET ${url}`, { accept: 'text/html', 'x-request-id': ids(bucket) });
        const again = at(`GET ${url}`, { accept: 'text/html', cookie: `perch=${ids(bucket)}`, 'x-request-id': ids(BUCKETS - 1 - bucket) });
        const cohorts = [first, again].map((each) => (each.kind === 'forward' ? servedRuleNames(each.rule)[0]?.cohort : undefined));
        const right =
          first.kind === 'forward' &&
          again.kind === 'forward' &&
          first.destination.subset === version &&
          again.destination.subset === version &&
          isIssued(first) &&
          !isIssued(again) &&
          cohorts.every((cohort) => cohort === (version === 'v2' ? 'canary' : 'stable'));
        if (!right) wrong++;
      }
      expect(wrong).toBe(0);
    },
  );

  it('what the root does to headers is done to the answers of the service, not to the id', () => {
    const first = at('GET http://b.test/b', { accept: 'text/html', 'x-request-id': ids(0) });
    if (first.kind !== 'forward') throw new Error(`nothing is forwarded: ${first.kind}`);
    const context = { message: 'response', requestHeader: () => ids(0), protocol: 'HTTP/1.1', responseCode: 200 } as const;
    const fields = applyHeaderEdits(['Set-Cookie', 'theirs=1'], first.response, context);
    expect(fields.filter((_, index) => index % 2 === 1)).toEqual([
      'no-cache,private',
      `perch=${ids(0)}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax`,
    ]);
  });

  it('what the roots do not let in does not come in, and their other rules lead where they led', () => {
    const canary = { cookie: `perch=${ids(0)}`, 'x-request-id': ids(0), accept: 'text/html' };
    expect(at('POST http://web.test/cart', canary).kind).toBe('none');
    expect(at('GET http://b.test/shop', canary).kind).toBe('none');
    expect(at('GET http://web.test/other', canary)).toMatchObject({ kind: 'forward', rule: 'other' });
    expect(headOf({ line: 'GET http://web.test/other' }).path).toBe('/other');
  });
});

describe('a delegate inside, told by a gateway elsewhere', () => {
  it('obeys, and the root is left alone', () => {
    const root = rootOf([{ name: 'web' }], { hosts: ['web'], gateways: undefined });
    const entry = virtualService([{ name: 'entry', route: [{ destination: { host: 'other', port: { number: 8080 } } }] }], {}, 'entry');
    const http = [{ route: [{ destination: { host: 'web', port: { number: 8080 } } }] }];
    const input = delegateInput(http, [root], { visitorId: { issueAt: { virtualService: 'entry' } } });
    const table = tableOf({ ...input, issuing: entry });
    const version = (headers: Record<string, string>) => {
      const selection = selectAt(table, 'mesh 8080', { line: 'GET http://web:8080/', headers });
      return selection.kind === 'forward' ? selection.destination.subset : selection.kind;
    };
    expect(version({ baggage: 'perch.web=canary' })).toBe('v2');
    expect(version({ baggage: 'perch.web=stable' })).toBe('v1');
    expect(version({ cookie: 'perch=3f2a9c1e-7b54-4d21-9e0a-000777777777' })).toBe('v2');
    expect(version({})).toBe('v1');
  });
});
