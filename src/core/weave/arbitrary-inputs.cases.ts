import fc from 'fast-check';
import type { HTTPMatchRequest, HTTPRoute, KubeObject, VirtualServiceSpec } from '../istio/resources.ts';
import { ownedVirtualService } from '../release/route-form.ts';
import { isCatchAll } from '../routing/catch-all.ts';
import { BUCKETS, OFFSETS, type Offset } from '../visitor/bucket.ts';
import { headers, http, virtualServices } from './arbitrary-routes.cases.ts';
import { gatewayOf, releaseOf, virtualService } from './fixtures.cases.ts';
import { withoutDelegates } from './reference-router.cases.ts';
import { blocksOf } from './rule-blocks.ts';
import { servedRuleNames } from './rule-name.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

/** Arbitrary releases of `web` in each form of `spec.route`, and what weaving made of them. */

/** The service that they release. */
export const SERVICE = { namespace: 'default', host: 'web', port: 8080 };

const VERSIONS = { stable: { subset: 'v1' }, canary: { subset: 'v2' } } as const;
const HOSTS = { stable: { host: 'web-v1' }, canary: { host: 'web-v2', port: 81 } } as const;
const plans: fc.Arbitrary<WeaveInput['plan']> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        cutoff: fc.integer({ min: 0, max: BUCKETS }),
        offset: fc.constantFrom<Offset[]>(...OFFSETS),
        pair: fc.constantFrom(VERSIONS, HOSTS),
      })
      .map(({ cutoff, offset, pair }) => ({ kind: 'split' as const, cutoff, offset, ...pair })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { kind: 'settled' as const, live: { subset: 'v2' } },
      { kind: 'settled' as const, live: { host: 'web-v2' } },
      // The last release was one of `affinity.mode: canaryOnly`.
      { kind: 'settled' as const, live: { subset: 'v2' }, expires: { name: 'perch-web', value: 'v2-5c1f0e9b', maxAge: 21_600 } },
    ),
  },
);
const fields = fc
  .record({
    cache: fc.constantFrom('issuing', 'private'),
    issueOn: fc.constantFrom('documents', 'all'),
    propagate: fc.constantFrom(['baggage', 'cookie', 'requestId'], ['baggage'], ['cookie']),
    name: fc.constantFrom('perch', '__Host-perch14'),
  })
  .map(({ cache, issueOn, propagate, name }) => ({ cache, visitorId: { issueOn, propagate, cookie: { name, secure: true } } }));

/** Everything but the objects. */
const rest = fc
  .tuple(plans, fields)
  .map(([plan, spec]) => ({ plan, spec, former: [{ subset: 'v0' }, { host: 'web-old' }], gateways: [gatewayOf()] }));

/** Ids are issued in the adopted object. */
const adoptedAtEdge: fc.Arbitrary<WeaveInput> = fc
  .tuple(virtualServices, rest)
  .map(([routed, { spec, ...input }]) => ({ ...input, release: releaseOf(spec), routed, issuing: undefined, siblings: [routed] }));

/** Ids are issued in another object, `entry`; the adopted one is inside. */
const insides = fc.constantFrom<(string[] | undefined)[]>(undefined, undefined, ['web'], ['mesh', 'web']);
const adoptedInside: fc.Arbitrary<WeaveInput> = fc
  .tuple(adoptedAtEdge, http, virtualServices, insides)
  .map(([input, rules, entry, gateways]) => ({
    ...issuedAtEntry(input, entry),
    routed: virtualService(insideRules(rules), { hosts: ['web.test'], gateways }),
  }));

/** Perch owns the whole object. */
const managed: fc.Arbitrary<WeaveInput> = fc
  .tuple(
    http,
    fc.constantFrom<string[][]>(['web'], ['mesh', 'web'], ['mesh', 'web']),
    rest,
    fc.option(virtualServices, { nil: undefined, freq: 2 }),
  )
  .map(([rules, gateways, { spec, ...input }, entry]) => {
    const route = { managed: { name: 'web', hosts: ['web.test'], gateways, http: entry === undefined ? rules : insideRules(rules) } };
    const release = releaseOf({ ...spec, route });
    const routed = ownedVirtualService(release) ?? virtualService([]);
    const atEdge = { ...input, release, routed, issuing: undefined, siblings: [routed] };
    if (entry === undefined) return atEdge;
    // In the mesh only one object serves a host.
    return issuedAtEntry(atEdge, gateways.includes('mesh') ? outsideMesh(entry) : entry);
  });

const rarely = <Value>(value: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 15, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
/** A match of a rule that delegates: mostly one that a delegate can be woven under. */
const rootBlock: fc.Arbitrary<HTTPMatchRequest> = fc
  .record({
    uri: fc.option(fc.constantFrom({ prefix: '/' }, { prefix: '/a' }, { prefix: '/a/b' }, { exact: '/a' }), { nil: undefined, freq: 2 }),
    ignoreUriCase: rarely(fc.boolean()),
    method: rarely(fc.constantFrom({ exact: 'GET' }, { regex: 'GET|POST' })),
    headers: rarely(
      fc.dictionary(fc.constantFrom('end-user', 'x-tenant', 'Cookie', 'x-request-id', ':path'), fc.constantFrom({ prefix: 'j' }, {}), {
        maxKeys: 1,
      }),
    ),
    withoutHeaders: rarely(fc.constant({ 'x-tenant': { exact: 'jason' } })),
    queryParams: rarely(fc.constant({ q: { prefix: '1' } })),
    gateways: rarely(fc.constantFrom<string[][]>(['default/web'], ['mesh'], ['mesh', 'default/web'])),
    sourceLabels: rarely(fc.constant({ app: 'x' })),
    sourceNamespace: rarely(fc.constantFrom('default', 'away')),
  })
  .map((block) => Object.fromEntries(Object.entries(block).filter(([, value]) => value !== undefined)) as HTTPMatchRequest);
const rootRule = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ match: fc.array(rootBlock, { minLength: 1, maxLength: 2 }), headers, timeout: fc.constant('9s') }, { requiredKeys: [] })
      .map((each) => ({ ...each, delegate: { name: 'web', namespace: 'default' } })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<object[]>({ match: [{ uri: { prefix: '/a/b' } }], route: [{ destination: { host: 'other' } }] }),
  },
);
const rootGateways = fc.constantFrom<(string[] | undefined)[]>(['default/web'], ['default/web'], ['default/web', 'mesh'], undefined);
const roots = fc
  .array(fc.tuple(fc.array(rootRule, { minLength: 1, maxLength: 3 }), rootGateways), { minLength: 1, maxLength: 2 })
  .map((all) =>
    all.map(([rules, gateways], index): KubeObject => {
      const name = `root-${index}`;
      const named = rules.map((each, at) => ({ name: `${name} ${at}`, ...each }));
      const root = virtualService(named, { hosts: ['web.test'], gateways }, name);
      return { ...root, metadata: { ...root.metadata, namespace: index === 0 ? 'default' : 'edge' } };
    }),
  );

/** A delegate, owned or adopted, and what delegates to it; ids are issued in it, or in `entry`. */
const delegate: fc.Arbitrary<WeaveInput> = fc
  .tuple(http, roots, rest, fc.boolean(), fc.option(virtualServices, { nil: undefined, freq: 2 }))
  .map(([all, siblings, { spec, ...input }, owned, entry]) => {
    const own = all.filter((each) => !('delegate' in each)).map((each) => withoutCatchAll(each as HTTPRoute));
    // As in most delegates the last rule takes what is left, whatever the roots let in: there has to be something.
    const rules = [...own, { name: 'last', route: [{ destination: { host: 'web', subset: 'v1' } }] }];
    const declared = { delegate: { name: 'web', http: entry === undefined ? rules : insideRules(rules) } };
    const routed = ownedVirtualService(releaseOf({ route: declared })) ?? virtualService([]);
    const release = releaseOf({ ...spec, ...(owned && { route: declared }) });
    const atEdge = { ...input, release, routed, issuing: undefined, siblings: [routed, ...siblings] };
    return entry === undefined ? atEdge : issuedAtEntry(atEdge, entry);
  });

/** The rule with a path where it would take everything, so that rules behind it are served. */
function withoutCatchAll(rule: HTTPRoute): HTTPRoute {
  return { ...rule, match: blocksOf(rule).map((block) => (isCatchAll(block) ? { ...block, uri: { prefix: '/a' } } : block)) };
}

/** Every form, and how many of 400 are woven at least. */
export const FORMS: readonly (readonly [form: string, inputs: fc.Arbitrary<WeaveInput>, woven: number])[] = [
  ['adopt', fc.oneof(adoptedAtEdge, adoptedInside), 120],
  ['managed', managed, 120],
  ['delegate', delegate, 140],
];

function insideRules<Rule extends object>(rules: readonly Rule[]): readonly Rule[] {
  return rules.map((each, index) => ({ ...each, name: `inside ${index}` }));
}

function issuedAtEntry(input: WeaveInput, entry: KubeObject): WeaveInput {
  const { spec } = input.release;
  return {
    ...input,
    release: releaseOf({ ...spec, visitorId: { ...spec.visitorId, issueAt: { virtualService: 'entry' } } }),
    issuing: { ...entry, metadata: { ...entry.metadata, name: 'entry' } },
  };
}

function outsideMesh(object: KubeObject): KubeObject {
  return { ...object, spec: { ...(object.spec as VirtualServiceSpec), gateways: ['web'] } };
}

/** Each woven object with its base. */
export function pairs(input: WeaveInput): { readonly base: KubeObject; readonly served: KubeObject }[] {
  return weaveRelease(input).routes.map(({ name, virtualService: served }) => {
    const base = [input.routed, input.issuing].find((object) => object?.metadata.name === name);
    if (base === undefined) throw new Error(`${name} was not an input`);
    return { base, served };
  });
}

/** All objects before and after weaving, as routers see them; `woven`: how many of them weaving changed. */
export function beforeAndAfter(input: WeaveInput): { before: readonly KubeObject[]; after: readonly KubeObject[]; woven: number } {
  const all = [input.routed, ...(input.issuing === undefined ? [] : [input.issuing]), ...input.siblings];
  const bases = all.filter((object, index) => all.findIndex((other) => isSame(other, object)) === index);
  const changed = pairs(input);
  const served = bases.map((base) => changed.find((pair) => isSame(pair.base, base))?.served ?? base);
  return { before: withoutDelegates(bases), after: withoutDelegates(served), woven: changed.length };
}

function isSame(left: KubeObject, right: KubeObject): boolean {
  return left.metadata.name === right.metadata.name && left.metadata.namespace === right.metadata.namespace;
}

/** Name of the base rule that a served rule comes from; behind that of a root's rule, where it is a delegate's. */
export function originOf(served: { readonly name?: string } | undefined): string | undefined {
  const woven = servedRuleNames(served?.name)[0];
  return woven === undefined ? served?.name : `${(served?.name ?? '').replace(/perch:.*$/s, '')}${woven.baseName ?? ''}`;
}
