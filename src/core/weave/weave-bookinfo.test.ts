import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubeObject } from '../istio/resources.ts';
import { edgeInput, releaseOf, rulesOf, TEN_PERCENT, virtualService } from './fixtures.cases.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

const BOOKINFO = new URL('../../../examples/bookinfo/', import.meta.url);

function exampleObjects(): KubeObject[] {
  const files = ['gateway.yaml', 'bookinfo.yaml', 'reviews.yaml'];
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(file, BOOKINFO), 'utf8')).map((document) => document.toJS() as KubeObject),
  );
}

function example(name: string): KubeObject {
  const found = exampleObjects().find((object) => object.kind === 'VirtualService' && object.metadata.name === name);
  if (found === undefined) throw new Error(`examples/bookinfo has no VirtualService ${name}`);
  return found;
}

/** What the rules of the only, or the last, woven object look like, as YAML. */
function wovenRules(input: WeaveInput): string {
  const { routes, diagnostics } = weaveRelease(input);
  expect(diagnostics).toEqual([]);
  return stringify(rulesOf(routes.at(-1)?.virtualService), { lineWidth: 0, aliasDuplicateObjects: false });
}

function yaml(parts: TemplateStringsArray): string {
  return `${(parts.raw[0] ?? '').replace(/^\n/, '').trimEnd()}\n`;
}

describe('the entry service', () => {
  it('the product page of Bookinfo, woven at 10 %, is src/core/weave/examples/edge-productpage.yaml', async () => {
    const release = releaseOf(
      { service: { host: 'productpage', port: 9080 }, route: { adopt: { virtualService: 'bookinfo' } } },
      'productpage',
    );
    const { routes, diagnostics } = weaveRelease(edgeInput([], { release, routed: example('bookinfo'), gateways: exampleObjects() }));
    expect(diagnostics).toEqual([]);
    await expect(stringify(routes[0]?.virtualService, { lineWidth: 0, aliasDuplicateObjects: false })).toMatchFileSnapshot(
      'examples/edge-productpage.yaml',
    );
  });
});

describe('an internal service', () => {
  const reviews = (propagate: readonly string[]) =>
    releaseOf(
      {
        service: { host: 'reviews', port: 9080 },
        route: { adopt: { virtualService: 'reviews' } },
        visitorId: { issueAt: { virtualService: 'bookinfo' }, propagate },
      },
      'reviews',
    );
  const input = (propagate: readonly string[] = ['baggage', 'cookie', 'requestId']): WeaveInput =>
    edgeInput([], { release: reviews(propagate), routed: example('reviews'), issuing: example('bookinfo'), gateways: exampleObjects() });

  it('obeys what the gateway told, then the cookie, then, where the release says so, the request id', () => {
    expect(wovenRules(input())).toBe(yaml`
- name: perch:default/reviews:told:canary:v1:reviews
  match:
    - headers:
        baggage:
          regex: (?:.*, ?)?perch\.reviews=canary(?:[ ;,].*)?
  route:
    - destination:
        host: reviews
        subset: v2
        port:
          number: 9080
- name: perch:default/reviews:told:stable:v1:reviews
  match:
    - headers:
        baggage:
          regex: (?:.*, ?)?perch\.reviews=stable(?:[ ;,].*)?
  route:
    - destination:
        host: reviews
        subset: v1
        port:
          number: 9080
- name: perch:default/reviews:known:canary:v1:reviews
  match:
    - headers:
        cookie:
          regex: (?:.*; ?)?perch=[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*(?:;.*)?
  route:
    - destination:
        host: reviews
        subset: v2
        port:
          number: 9080
- name: perch:default/reviews:known:stable:v1:reviews
  match:
    - headers:
        cookie:
          regex: (?:.*; ?)?perch=[0-9a-f-]*-[0-9a-f]{12}(?:;.*)?
  route:
    - destination:
        host: reviews
        subset: v1
        port:
          number: 9080
- name: perch:default/reviews:new:canary:v1:reviews
  match:
    - headers:
        x-request-id:
          regex: "[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*"
  route:
    - destination:
        host: reviews
        subset: v2
        port:
          number: 9080
- name: perch:default/reviews:new:stable:v1:reviews
  match:
    - headers:
        x-request-id:
          regex: "[0-9a-f-]*-[0-9a-f]{12}"
  route:
    - destination:
        host: reviews
        subset: v1
        port:
          number: 9080
- name: perch:default/reviews:rest:stable:v1:reviews
  route:
    - destination:
        host: reviews
        subset: v1
        port:
          number: 9080
`);
  });

  it('is told by the gateway, whose destinations stay: src/core/weave/examples/internal-bookinfo.yaml', async () => {
    const { routes } = weaveRelease(input());
    expect(routes.map(({ namespace, name }) => [namespace, name])).toEqual([
      ['default', 'bookinfo'],
      ['default', 'reviews'],
    ]);
    const stamps = rulesOf(routes[0]?.virtualService).map((rule) => [rule.name, rule.route?.[0]?.headers?.request?.add]);
    expect(stamps).toEqual([
      ['perch:default/reviews:known:canary:+:productpage', { baggage: 'perch.reviews=canary' }],
      ['perch:default/reviews:known:stable:+:productpage', { baggage: 'perch.reviews=stable' }],
      ['perch:default/reviews:new:canary:+:productpage', { baggage: 'perch.reviews=canary' }],
      ['perch:default/reviews:new:stable:+:productpage', { baggage: 'perch.reviews=stable' }],
      ['perch:default/reviews:rest:stable:+:productpage', { baggage: 'perch.reviews=stable' }],
    ]);
    await expect(stringify(routes[0]?.virtualService, { lineWidth: 0, aliasDuplicateObjects: false })).toMatchFileSnapshot(
      'examples/internal-bookinfo.yaml',
    );
  });

  it('settled: ids go on being issued, nobody is told anything, and one rule leads to the live version', () => {
    const { routes } = weaveRelease({ ...input(), plan: { kind: 'settled', live: { subset: 'v2' } } });
    const [bookinfo, inside] = routes.map((route) => rulesOf(route.virtualService));
    expect(bookinfo?.map((rule) => rule.name)).toEqual([
      'perch:default/reviews:known:stable:=:productpage',
      'perch:default/reviews:new:stable:=:productpage',
      'perch:default/reviews:rest:stable:=:productpage',
    ]);
    expect(JSON.stringify(bookinfo)).not.toContain('baggage');
    expect(inside).toEqual([
      {
        name: 'perch:default/reviews:rest:stable:v1:reviews',
        route: [{ destination: { host: 'reviews', subset: 'v2', port: { number: 9080 } } }],
      },
    ]);
  });

  it('rolled back: baggage that still says canary is not believed', () => {
    const { routes } = weaveRelease({ ...input(), plan: { ...TEN_PERCENT, cutoff: 0 } });
    const rules = rulesOf(routes[1]?.virtualService);
    expect(rules.every((rule) => rule.route?.[0]?.destination.subset === 'v1')).toBe(true);
    expect(JSON.stringify(rules)).not.toContain('canary');
  });

  it('matches only on what is propagated; without baggage nothing is stamped', () => {
    const { routes } = weaveRelease(input(['cookie']));
    expect(rulesOf(routes[1]?.virtualService).map((rule) => (rule.name ?? '').split(':')[2])).toEqual(['known', 'known', 'rest']);
    expect(JSON.stringify(routes[0])).not.toContain('baggage');
    const told = rulesOf(weaveRelease(input(['baggage'])).routes[1]?.virtualService);
    expect(told.map((rule) => (rule.name ?? '').split(':')[2])).toEqual(['told', 'told', 'rest']);
  });

  it('request ids decide in the mesh only: at a gateway each request has a fresh one', () => {
    const routed = { ...example('reviews'), spec: { ...(example('reviews').spec as object), gateways: ['mesh', 'bookinfo-gateway'] } };
    const byRequestId = rulesOf(weaveRelease({ ...input(), routed }).routes[1]?.virtualService).filter((rule) =>
      rule.name?.includes(':new:'),
    );
    expect(byRequestId.map((rule) => rule.match?.map((block) => block.gateways))).toEqual([[['mesh']], [['mesh']]]);

    const atGateway = { ...routed, spec: { ...routed.spec, gateways: ['bookinfo-gateway'] } };
    const rules = rulesOf(weaveRelease({ ...input(), routed: atGateway, siblings: [] }).routes[1]?.virtualService);
    expect(rules.some((rule) => rule.name?.includes(':new:'))).toBe(false);
  });

  it('stamps every destination of a rule that draws between several', () => {
    const issuing = virtualService([
      {
        route: [
          { destination: { host: 'a' }, weight: 9 },
          { destination: { host: 'b' }, weight: 1 },
        ],
      },
    ]);
    const { routes } = weaveRelease({ ...input(), issuing });
    const [known] = rulesOf(routes[0]?.virtualService);
    expect(known?.route?.map((target) => [target.destination.host, target.weight, target.headers?.request?.add])).toEqual([
      ['a', 9, { baggage: 'perch.reviews=canary' }],
      ['b', 1, { baggage: 'perch.reviews=canary' }],
    ]);
  });
});
