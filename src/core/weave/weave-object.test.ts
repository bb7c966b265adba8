import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { edgeInput, gatewayOf, releaseOf, rulesOf, TEN_PERCENT, TEN_PERCENT_DRAWN, virtualService } from './fixtures.cases.ts';
import { routeObject } from './route-object.ts';
import { servedRuleNames } from './rule-name.ts';
import { type Companion, weaveCompanions, weaveShared } from './shared-object.ts';
import { unweave } from './unweave.ts';
import { weaveRelease } from './weave-virtual-service.ts';

const TO_WEB = [{ destination: { host: 'web' } }];

describe('the fields of woven rules', () => {
  const woven = (rule: object) => rulesOf(weaveRelease(edgeInput([rule])).routes[0]?.virtualService);
  const keys = (rule: object) => woven(rule).map((each) => Object.keys(each).join(' '));
  const five = (known: string, rest: string) => [known, known, known, known, rest];

  it.each<[object, string, string]>([
    [{ name: 'a', match: [{}], timeout: '5s', route: TO_WEB }, 'name match timeout route', 'name match timeout route'],
    [{ timeout: '5s', match: [{}], route: TO_WEB, name: 'a' }, 'timeout match route name', 'timeout match route name'],
    [{ match: [{}], route: TO_WEB, timeout: '5s' }, 'name match route timeout', 'name match route timeout'],
    [{ timeout: '5s', name: 'a', route: TO_WEB }, 'name match timeout route', 'timeout name route'],
    [{ timeout: '5s', route: TO_WEB }, 'name match timeout route', 'name timeout route'],
  ])('stand in the order of the base’s: %j', (rule, known, rest) => {
    expect(keys(rule)).toEqual(five(known, rest));
  });

  it('are the base’s, but for name, match and route; an object without rules keeps none', () => {
    for (const rule of woven({ name: 'a', match: [{}], timeout: '5s', retries: { attempts: 2 }, route: TO_WEB })) {
      expect(rule).toMatchObject({ timeout: '5s', retries: { attempts: 2 } });
    }
    const empty = { ...virtualService([]), spec: { hosts: ['web.test'] } };
    expect(weaveCompanions(empty, { siblings: [], gateways: [], companions: [] })).toEqual(empty);
  });
});

describe('what un-weaving has to know stands in the name', () => {
  const base = (destination: object, plan: object = {}) =>
    rulesOf(weaveRelease(edgeInput([{ route: [{ destination }] }], { plan: { ...TEN_PERCENT, ...plan } })).routes[0]?.virtualService).map(
      ({ name }) => servedRuleNames(name)[0]?.base,
    );
  const rest = (destination: object, plan?: object) => base(destination, plan).at(-1);

  it.each<[string, object, object, object]>([
    ['nothing but the subset', { host: 'web', subset: 'v1' }, {}, { kind: 'moved', subset: 'v1', address: undefined }],
    ['that there was none', { host: 'web' }, {}, { kind: 'moved', subset: undefined, address: undefined }],
    [
      'the host, where the stable version is another',
      { host: 'web' },
      { stable: { host: 'web-v1' } },
      { kind: 'moved', subset: undefined, address: { host: 'web', port: undefined } },
    ],
    [
      'host and port, where only the port is another',
      { host: 'web', port: { number: 8080 } },
      { stable: { host: 'web', port: 81 } },
      { kind: 'moved', subset: undefined, address: { host: 'web', port: 8080 } },
    ],
  ])('%s', (_, destination, plan, expected) => {
    expect(rest(destination, plan)).toEqual(expected);
  });

  it('the weight, where a draw replaces it', () => {
    const release = releaseOf({ affinity: { mode: 'canaryOnly' } });
    const names = (target: object) =>
      rulesOf(
        weaveRelease(edgeInput([{ route: [{ destination: { host: 'web' }, ...target }] }], { release, plan: TEN_PERCENT_DRAWN })).routes[0]
          ?.virtualService,
      ).flatMap(({ name }) => servedRuleNames(name).map(({ cohort, base: { ...at } }) => [cohort, 'weight' in at ? at.weight : undefined]));
    expect(names({ weight: 100 })).toContainEqual(['drawn', 100]);
    expect(names({}).every(([, weight]) => weight === undefined)).toBe(true);
  });
});

describe('releases that share a rule', () => {
  const inside = (name: string, spec: object = {}): CanaryRelease =>
    releaseOf(
      {
        service: { host: name, port: 8080 },
        route: { adopt: { virtualService: name } },
        visitorId: { issueAt: { virtualService: 'web' } },
        ...spec,
      },
      name,
    );
  const tenant = (release: CanaryRelease, plan: Companion['plan'] = TEN_PERCENT): Companion => ({ release, plan, former: [] });
  const drawing = { affinity: { mode: 'canaryOnly' } };
  const shop = virtualService([{ match: [{ uri: { prefix: '/a' } }], route: [{ destination: { host: 'web', subset: 'v1' } }] }]);
  const woven = (companions: readonly Companion[], object: KubeObject = shop) => {
    const served = weaveCompanions(object, { siblings: [object], gateways: [gatewayOf()], companions });
    expect(unweave(served)).toEqual(object);
    return rulesOf(served);
  };
  const concerned = (companions: readonly Companion[], object?: KubeObject) => [
    ...new Set(
      woven(companions, object).map(({ name }) =>
        servedRuleNames(name)
          .map(({ release }) => release)
          .toReversed()
          .join('+'),
      ),
    ),
  ];

  it('divide its visitors together, in the order of their names', () => {
    expect(concerned([tenant(inside('reviews')), tenant(inside('details'))])).toEqual(['details+reviews']);
    expect(concerned([tenant(releaseOf()), tenant(inside('details'))])).toEqual(['details+web']);
  });

  it('one that decides alone is alone, if it comes first, and left out, if it does not', () => {
    expect(concerned([tenant(inside('details', drawing), TEN_PERCENT_DRAWN), tenant(inside('reviews'))])).toEqual(['details']);
    expect(concerned([tenant(inside('details')), tenant(inside('reviews', drawing), TEN_PERCENT_DRAWN)])).toEqual(['details']);
  });

  it('only one may move destinations: the first', () => {
    expect(concerned([tenant(releaseOf({}, 'b')), tenant(releaseOf({}, 'a')), tenant(inside('details'))])).toEqual(['a+details']);
    const [known] = woven([tenant(releaseOf()), tenant(inside('details'))]);
    expect(known?.route?.[0]?.destination.subset).toBe('v2');
  });

  it('one that neither moves nor tells has no part beside others, and the only one has it all the same', () => {
    const silent = inside('details', { visitorId: { issueAt: { virtualService: 'web' }, propagate: ['cookie'] } });
    expect(concerned([tenant(silent), tenant(inside('reviews'))])).toEqual(['reviews']);
    expect(concerned([tenant(silent)])).toEqual(['details']);
    expect(concerned([tenant(silent), tenant({ ...silent, metadata: { namespace: 'default', name: 'ratings' } })])).toEqual(['details']);
  });

  it('are those whose specs name the object, in its namespace', () => {
    const far = inside('details');
    const elsewhere = { ...far, metadata: { namespace: 'far', name: 'details' } };
    const other = inside('ratings', { visitorId: { issueAt: { virtualService: 'entry' } } });
    expect(concerned([tenant(inside('reviews')), tenant(elsewhere), tenant(other)])).toEqual(['reviews']);
    expect(woven([tenant(elsewhere)])).toEqual(rulesOf(shop));
  });

  it('what one of them came to there: its rules, and the most groups that its visitors are divided into', () => {
    const other = { route: [{ destination: { host: 'other' } }] };
    const object = virtualService([...rulesOf(shop), { match: [{ uri: { prefix: '/b' } }], ...other }]);
    const gateways = [gatewayOf()];
    const route = routeObject(object, 'default');
    const part = (plan: Companion['plan'], companions: readonly Companion[]) => {
      const own = { ...tenant(releaseOf(), plan), issues: true, moves: true, edge: true };
      const { woven: indexes, concerned: count, groups } = weaveShared(route, own, { companions, others: [route], gateways }).part;
      return [indexes, count, groups];
    };
    const settled = { kind: 'settled', live: { subset: 'v1' } } as const;
    expect(part(TEN_PERCENT, [])).toEqual([[0], 1, 2]);
    expect(part(TEN_PERCENT, [tenant(inside('details'))])).toEqual([[0], 1, 3]);
    expect(part(TEN_PERCENT, [tenant(inside('details'), { ...TEN_PERCENT, offset: 3 })])).toEqual([[0], 1, 4]);
    expect(part(settled, [tenant(inside('details'))])).toEqual([[0], 1, 1]);
  });
});
