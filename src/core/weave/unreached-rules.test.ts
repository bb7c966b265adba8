import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectAt } from '../../../test/harness/routes.ts';
import type { HTTPMatchRequest, KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { ownedVirtualService } from '../release/route-form.ts';
import { compileRouting } from '../routing/compile.ts';
import { edgeInput, gatewayOf, releaseOf, TEN_PERCENT_DRAWN, virtualService } from './fixtures.cases.ts';
import { servedRuleNames } from './rule-name.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

// A gateway merges the VirtualServices of a host, the older one's rules first: those of the other one may be left without a request.

const SETTLED = { kind: 'settled', live: { subset: 'v2' } } as const;

type Spec = Readonly<Record<string, unknown>>;

/** A rule for these paths to `web`; without any, for every path. */
const toWeb = (...prefixes: string[]) => ({
  ...(prefixes.length > 0 && { match: prefixes.map((prefix) => ({ uri: { prefix } })) }),
  route: [{ destination: { host: 'web', subset: 'v1' } }],
});
const matching = (...match: HTTPMatchRequest[]) => ({ ...toWeb(), match });
const object = (name: string, rules: readonly object[], spec: Spec = {}) => virtualService(rules, spec, name);

/** A release at the edge in `web`, behind the older objects. */
const behind = (older: readonly KubeObject[], rules: readonly object[], changes: Partial<WeaveInput> = {}, spec: Spec = {}): WeaveInput => {
  const routed = object('web', rules, spec);
  return edgeInput([], { routed, siblings: [...older, routed], ...changes });
};

/** Findings as `severity path: message`. */
const findings = (input: WeaveInput): string[] =>
  weaveRelease(input).diagnostics.flatMap(({ code, severity, path, message }) =>
    code === 'PERCH2020' ? [`${severity} ${path}: ${message}`] : [],
  );
const severities = (input: WeaveInput): string[] => findings(input).map((each) => each.slice(0, each.indexOf(':')));

const LOST = ['error spec.http'];

describe('a release behind an older VirtualService of its host', () => {
  it('is not woven where that takes all its requests: the reason names both, and what to do', () => {
    const { routes, diagnostics } = weaveRelease(behind([object('shop', [toWeb('/shop')])], [toWeb('/shop')]));
    expect(routes).toEqual([]);
    expect(diagnostics).toEqual([
      {
        code: 'PERCH2020',
        severity: 'error',
        message:
          'VirtualService default/shop, which is older, takes every request for the woven rules of VirtualService default/web first: delete what is in the way, or join the two',
        object: 'VirtualService default/web',
        path: 'spec.http',
        hint: 'at a gateway rules of the older VirtualService come first, however narrow the others are',
      },
    ]);
  });

  it('neither where requests are drawn', () => {
    const release = releaseOf({ affinity: { mode: 'canaryOnly' } });
    const input = behind([object('shop', [toWeb('/shop')])], [toWeb('/shop')], { release, plan: TEN_PERCENT_DRAWN });
    expect(severities(input)).toEqual(LOST);
  });

  it('settled, it is woven, with a warning: so that it can be left, and rolled back', () => {
    const input = behind([object('shop', [toWeb('/shop')])], [toWeb('/shop')], { plan: SETTLED });
    expect(severities(input)).toEqual(['warning spec.http']);
    expect(weaveRelease(input).routes).toHaveLength(1);
  });

  it('the younger of the two is nobody’s obstacle', () => {
    const routed = object('web', [toWeb('/shop')]);
    expect(findings(edgeInput([], { routed, siblings: [routed, object('shop', [toWeb('/shop')])] }))).toEqual([]);
  });

  it('one that is yet to be created is the youngest', () => {
    const input = edgeInput([], { routed: object('web', [toWeb('/shop')]), siblings: [object('shop', [toWeb('/shop')])] });
    expect(severities(input)).toEqual(LOST);
  });

  it.each<[string, readonly object[], readonly object[]]>([
    ['a wider path', [toWeb('/sh')], [toWeb('/shop')]],
    ['every rule, by rules of its own', [toWeb('/a'), toWeb('/b')], [toWeb('/b/c'), toWeb('/a')]],
    ['every match', [toWeb('/a', '/b')], [toWeb('/a/b', '/b')]],
    ['the same conditions', [matching({ headers: { a: {} } })], [matching({ uri: { prefix: '/a' }, headers: { a: {} } })]],
    ['an empty prefix, which Istio does not sort', [matching({ uri: { prefix: '' } })], [toWeb('/shop')]],
    [
      'an answer of the gateway’s own',
      [{ ...matching({ uri: { prefix: '/a' } }), route: undefined, redirect: { uri: '/b' } }],
      [toWeb('/a')],
    ],
    ['the port of the gateway', [matching({ uri: { prefix: '/a' }, port: 80 })], [toWeb('/a')]],
    [
      'the gateway by its name',
      [matching({ uri: { prefix: '/a' }, gateways: ['default/web'], sourceLabels: { app: 'x' } })],
      [toWeb('/a')],
    ],
  ])('%s', (_what, older, rules) => {
    expect(severities(behind([object('shop', older)], rules))).toEqual(LOST);
  });

  it.each<[string, readonly object[], readonly object[], Spec?]>([
    ['a narrower path', [toWeb('/shop/cart')], [toWeb('/shop')]],
    ['one of two matches', [toWeb('/a')], [toWeb('/a', '/b')]],
    ['every path: catch-alls are sorted last', [toWeb()], [toWeb('/shop')]],
    ['a rule behind a catch-all, which is not served', [toWeb('/'), toWeb('/shop')], [toWeb('/shop')]],
    ['a condition of its own', [matching({ uri: { prefix: '/shop' }, method: { exact: 'GET' } })], [toWeb('/shop')]],
    ['another port', [matching({ uri: { prefix: '/a' }, port: 81 })], [toWeb('/a')]],
    ['another gateway', [matching({ uri: { prefix: '/a' }, gateways: ['mesh'] })], [toWeb('/a')], { gateways: ['web', 'mesh'] }],
    ['some senders, if those', [matching({ uri: { prefix: '/a' }, sourceLabels: { app: 'x' } })], [toWeb('/a')]],
    ['another host', [toWeb('/a')], [toWeb('/a')], { hosts: ['other.test'] }],
    ['a wider host, which is served by other routes', [toWeb('/a')], [toWeb('/a')], { hosts: ['*.test'] }],
    ['no gateway', [toWeb('/a')], [toWeb('/a')], { gateways: ['mesh'] }],
    ['a gateway that is not there', [toWeb('/a')], [toWeb('/a')], { gateways: ['missing'] }],
    ['few gateways’ eyes', [toWeb('/a')], [toWeb('/a')], { exportTo: ['.'] }],
  ])('not so: %s', (_what, older, rules, spec = {}) => {
    expect(findings(behind([object('shop', older, spec)], rules))).toEqual([]);
  });

  it('of several rules the one that is never reached is told', () => {
    expect(findings(behind([object('shop', [toWeb('/x'), toWeb('/a')])], [toWeb('/a/b'), toWeb('/b')]))).toEqual([
      'warning spec.http[0]: the rule is never reached: spec.http[1] of VirtualService default/shop, which is older, takes its requests first',
    ]);
  });

  it('where only some hosts or gateways are lost, they are told', () => {
    const older = [object('shop', [toWeb('/a')])];
    expect(findings(behind(older, [toWeb('/a')], {}, { hosts: ['web.test', 'b.test'] }))).toEqual([
      'warning spec.http[0]: the rule is not reached at gateway default/web for web.test: spec.http[0] of VirtualService default/shop, which is older, takes its requests first',
    ]);
    const gateways = [gatewayOf(), gatewayOf('HTTP', 'second')];
    expect(severities(behind(older, [toWeb('/a')], { gateways }, { gateways: ['web', 'second'] }))).toEqual(['warning spec.http[0]']);
    expect(severities(behind(older, [toWeb('/a')], {}, { gateways: ['web', 'mesh'] }))).toEqual(['warning spec.http[0]']);
    expect(severities(behind(older, [toWeb('/a')], {}, { gateways: ['web', 'missing'] }))).toEqual(['warning spec.http[0]']);
  });

  it('a server that only redirects to https reaches nobody anyway', () => {
    const servers = [
      { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'], tls: { httpsRedirect: true } },
      { port: { number: 443, name: 'https', protocol: 'HTTPS' }, hosts: ['*'] },
    ];
    const gateways = [gatewayOf('HTTP', 'web', { servers })];
    expect(severities(behind([object('shop', [matching({ uri: { prefix: '/a' }, port: 443 })])], [toWeb('/a')], { gateways }))).toEqual(
      LOST,
    );
  });
});

describe('within one object', () => {
  const other = { match: [{ uri: { prefix: '/shop' } }], route: [{ destination: { host: 'other' } }] };

  it('a rule behind a wider one is told', () => {
    expect(findings(behind([], [other, toWeb('/shop/cart'), toWeb('/web')]))).toEqual([
      'warning spec.http[1]: the rule is never reached: spec.http[0] takes its requests first',
    ]);
  });

  it('behind a catch-all nothing is served', () => {
    expect(findings(behind([], [{ ...other, match: undefined }, toWeb('/shop')]))).toEqual([
      'error spec.http: earlier rules of its own take every request for the woven rules of VirtualService default/web first: put the narrower rule first',
    ]);
  });

  it('in the mesh too', () => {
    const release = releaseOf({ visitorId: { issueAt: { virtualService: 'entry' } } });
    const issuing = object('entry', [{ route: [{ destination: { host: 'entry' } }] }], { hosts: ['shop.test'] });
    const inside = (rules: readonly object[]) => behind([], rules, { release, issuing }, { hosts: ['web'], gateways: ['mesh'] });
    expect(severities(inside([{ ...other, match: undefined }, toWeb()]))).toEqual(LOST);
    // For one port of several, perhaps.
    expect(severities(inside([{ ...other, match: [{ port: 81 }] }, toWeb()]))).toEqual([]);
  });
});

describe('where else it is looked for', () => {
  it('the object in which ids are issued', () => {
    const release = releaseOf({ visitorId: { issueAt: { virtualService: 'entry' } } });
    const issuing = object('entry', [{ match: [{ uri: { prefix: '/shop' } }], route: [{ destination: { host: 'entry' } }] }]);
    const shop = object('shop', [toWeb('/shop')]);
    const routed = object('web', [toWeb()], { hosts: ['web'], gateways: ['mesh'] });
    const input = edgeInput([], { release, routed, issuing, siblings: [shop, issuing, routed] });
    expect(findings(input)).toEqual([
      'error spec.http: VirtualService default/shop, which is older, takes every request for the woven rules of VirtualService default/entry first: delete what is in the way, or join the two',
    ]);
  });

  it('of a managed object, the finding is in the release', () => {
    const release = releaseOf({ route: { managed: { hosts: ['web.test'], gateways: ['web'], http: [toWeb('/shop')] } } });
    const routed = ownedVirtualService(release) ?? virtualService([]);
    const { diagnostics } = weaveRelease(edgeInput([], { release, routed, siblings: [object('shop', [toWeb('/shop')])] }));
    expect(diagnostics.map(({ object: about, path }) => `${about} ${path}`)).toEqual(['CanaryRelease default/web spec.route.managed.http']);
  });

  const root = (name: string, rules: readonly object[], spec: Spec = {}) => object(name, rules, { gateways: ['default/web'], ...spec });
  const delegating = (prefix: string) => ({ match: [{ uri: { prefix } }], delegate: { name: 'web' } });
  const delegate = object('web', [toWeb()], { hosts: undefined, gateways: undefined });
  const released = (siblings: readonly KubeObject[]) => findings(edgeInput([], { routed: delegate, siblings: [...siblings, delegate] }));

  it('a delegate by its roots, whose age counts', () => {
    const own = root('root', [delegating('/shop')]);
    expect(released([object('shop', [toWeb('/shop')]), own])).toEqual([
      'error spec.http: VirtualService default/shop, which is older than VirtualService default/root, takes every request for the woven rules of VirtualService default/web first: delete what is in the way, or join the two',
    ]);
    expect(released([own, object('shop', [toWeb('/shop')])])).toEqual([]);
  });

  it('a delegate by earlier rules of its root, and not where another root leads to it', () => {
    const covered = root('root', [toWeb('/shop'), delegating('/shop/a')]);
    expect(released([covered])).toEqual([
      'error spec.http: earlier rules of VirtualService default/root take every request for the woven rules of VirtualService default/web first: put the narrower rule first',
    ]);
    expect(released([covered, root('second', [delegating('/b')])])).toEqual([
      // At one host they are one place.
    ]);
    expect(released([covered, root('second', [delegating('/b')], { hosts: ['b.test'] })])).toEqual([
      'warning spec.http[0]: the rule is not reached at gateway default/web for web.test: spec.http[0] of VirtualService default/root takes its requests first',
    ]);
  });

  it('rules of an older object’s delegate count, and what the root excludes of them does not', () => {
    const theirs = (prefix: string) => object('theirs', [toWeb(prefix)], { hosts: undefined, gateways: undefined });
    const older = root('older', [{ match: [{ uri: { prefix: '/shop' } }], delegate: { name: 'theirs' } }]);
    expect(severities(behind([older, theirs('/shop/a')], [toWeb('/shop/a')]))).toEqual(LOST);
    expect(findings(behind([older, theirs('/shop/a')], [toWeb('/shop/a'), toWeb('/b')]))).toEqual([
      'warning spec.http[0]: the rule is never reached: spec.http[0] of VirtualService default/theirs, through VirtualService default/older, which is older, takes its requests first',
    ]);
    expect(findings(behind([older, theirs('/b')], [toWeb('/b')]))).toEqual([]);
    expect(findings(behind([older], [toWeb('/shop/a')]))).toEqual([]);
  });
});

describe('against the routes that the gateway compiles', () => {
  const servers = [
    { port: { number: 80, name: 'one', protocol: 'HTTP' }, hosts: ['web.test', '*.test'] },
    { port: { number: 81, name: 'two', protocol: 'HTTP' }, hosts: ['*'] },
  ];
  const third = { port: { number: 82, name: 'three', protocol: 'HTTP' }, hosts: ['*'] };
  const gateways = [gatewayOf('HTTP', 'web', { servers }), gatewayOf('HTTP', 'second', { servers: [third] })];
  const uri = fc.constantFrom<NonNullable<HTTPMatchRequest['uri']>[]>(
    { prefix: '/' },
    { prefix: '' },
    { prefix: '/a' },
    { prefix: '/a' },
    { prefix: '/a/b' },
    { prefix: '/A' },
    { exact: '/a' },
    { regex: '.*' },
    { regex: '/z.*' },
  );
  const block = fc.record(
    {
      uri,
      ignoreUriCase: fc.constant(true),
      port: fc.constantFrom(80, 81),
      gateways: fc.constantFrom(['web'], ['second', 'web']),
      headers: fc.constant({ 'x-a': { exact: '1' } }),
    },
    { requiredKeys: ['uri'] },
  );
  const blocks = fc.array(fc.oneof({ weight: 3, arbitrary: fc.record({ uri }) }, { weight: 1, arbitrary: block }), {
    minLength: 1,
    maxLength: 2,
  });
  const rules = fc
    .array(fc.tuple(blocks, fc.constantFrom('web', 'web', 'other')), { minLength: 1, maxLength: 2 })
    .map((all) => all.map(([match, host]) => ({ match, route: [{ destination: { host } }] })));
  const spec = fc.record({
    hosts: fc.constantFrom(['web.test'], ['web.test'], ['*.test'], ['web.test', 'b.test']),
    gateways: fc.constantFrom(['web'], ['web'], ['web', 'second']),
  });
  const others = fc.array(fc.tuple(rules, spec), { minLength: 1, maxLength: 2 });
  const headers = [{}, { 'x-a': '1' }];
  const requests = ['ingress 80', 'ingress 81', 'ingress 82'].flatMap((listener) =>
    ['web.test', 'b.test', 'c.test'].flatMap((host) =>
      ['/', '/c', '/a', '/A', '/ab', '/Ab', '/a/b', '/A/b', '/a/bc', '/A/B', '/z', '/z/a'].flatMap((path) =>
        headers.map((each) => ({ listener, request: { line: `GET http://${host}${path}`, headers: each } })),
      ),
    ),
  );
  /** Whether any of the requests comes to a woven rule of these routes. */
  const isReached = (objects: readonly KubeObject[]): boolean => {
    const { table } = compileRouting(objects);
    return requests.some(({ listener, request }) => {
      const selection = selectAt(table, listener, request);
      return selection.kind === 'forward' && servedRuleNames(selection.rule)[0] !== undefined;
    });
  };

  it('a release that may start is reached by somebody, and one that may not is reached by nobody', () => {
    const seen = { reached: 0, refused: 0 };
    fc.assert(
      fc.property(rules, spec, others, fc.nat(2), (http, where, all, at) => {
        const routed = object('web', http, where);
        const siblings: KubeObject[] = all.map(([theirs, elsewhere], index) => object(`other-${index}`, theirs, elsewhere));
        siblings.splice(at, 0, routed);
        const input = edgeInput([], { routed, siblings, gateways });
        // Woven whatever was found: only an error that is not ours leaves no routes.
        const woven = weaveRelease({ ...input, plan: SETTLED }).routes[0]?.virtualService;
        if (woven === undefined) return;
        const isRefused = severities(input).includes('error spec.http');
        const isServed = isReached([...gateways, ...siblings.map((each) => (each === routed ? woven : each))]);
        expect(isServed).toBe(!isRefused);
        seen.reached += Number(isServed);
        seen.refused += Number(isRefused);
      }),
      { seed: 22, numRuns: runs(2000) },
    );
    // So that neither "never" nor "always" would do.
    expect(Math.min(seen.reached, seen.refused)).toBeGreaterThan(atLeast(150));
  });
});
