import { expect, it } from 'vitest';
import { ownedVirtualService } from '../release/route-form.ts';
import { edgeInput, releaseOf, rulesOf, virtualService } from './fixtures.cases.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

/** A release that owns the VirtualService `web`, with these rules. */
function managedInput(http: readonly object[], name = 'web'): WeaveInput {
  const release = releaseOf({ route: { managed: { name, hosts: ['web.test'], gateways: ['web'], http } } });
  return edgeInput([], { release, routed: ownedVirtualService(release) ?? virtualService([]) });
}

const RULES = [
  {
    name: 'shop',
    match: [{ uri: { prefix: '/shop' } }],
    timeout: '5s',
    retries: { attempts: 0 },
    route: [{ destination: { host: 'web' } }],
  },
  { name: 'rest', corsPolicy: { maxAge: '24h' }, route: [{ destination: { host: 'web', subset: 'v1' } }] },
];

it('an owned VirtualService is woven rule for rule as an adopted one', () => {
  const managed = weaveRelease(managedInput(RULES));
  const adopted = weaveRelease(edgeInput(RULES));
  expect(managed.diagnostics).toEqual([]);
  expect(rulesOf(managed.routes[0]?.virtualService)).toEqual(rulesOf(adopted.routes[0]?.virtualService));
  expect(rulesOf(managed.routes[0]?.virtualService).length).toBe(10);
});

it('it keeps whose it is', () => {
  const [route] = weaveRelease(managedInput(RULES, 'shop')).routes;
  expect(route?.virtualService.metadata).toEqual({
    name: 'shop',
    namespace: 'default',
    annotations: { 'perch.dev/owned-by': 'default/web' },
  });
});

it('findings stand where its author finds the rule: in the release', () => {
  const weighted = [1, 1].map((weight) => ({ destination: { host: 'web' }, weight }));
  const { diagnostics } = weaveRelease(managedInput([{ match: [{ uri: { prefix: '/a' } }], route: weighted }, ...RULES]));
  expect(diagnostics.map(({ code, object, path }) => [code, object, path])).toEqual([
    ['PERCH2003', 'CanaryRelease default/web', 'spec.route.managed.http[0].route'],
  ]);
});

it('without a rule that leads to the service it says where to add one', () => {
  const elsewhere = [{ route: [{ destination: { host: 'other' } }] }];
  expect(weaveRelease(managedInput(elsewhere)).diagnostics).toMatchObject([
    {
      code: 'PERCH2001',
      object: 'CanaryRelease default/web',
      path: 'spec.route.managed.http',
      hint: 'add such a rule to spec.route.managed.http, or correct spec.service',
    },
  ]);
  expect(weaveRelease(edgeInput(elsewhere)).diagnostics).toMatchObject([
    { object: 'VirtualService default/web', hint: 'adopt the VirtualService that routes to the service, or correct spec.service' },
  ]);
});
