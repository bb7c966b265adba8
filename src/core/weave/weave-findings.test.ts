import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import { ownedVirtualService } from '../release/route-form.ts';
import { edgeInput, releaseOf, TEN_PERCENT_DRAWN, virtualService } from './fixtures.cases.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

/** Each thing that weaving has to say, word for word: in examples/findings.txt, under the name of what brings it about. */

const to = (host: string, destination: object = {}) => [{ destination: { host, ...destination } }];
const at = (prefix: string) => [{ uri: { prefix } }];
/** A rule that can be woven, so that the one under test is the only one to be said anything about. */
const good = (host = 'web') => ({ match: at('/good'), route: to(host) });
const halves = (host: string) => [
  { destination: { host, subset: 'v1' }, weight: 50 },
  { destination: { host, subset: 'v2' }, weight: 50 },
];

const drawn = (spec: Readonly<Record<string, unknown>> = {}): Partial<WeaveInput> => ({
  release: releaseOf({ affinity: { mode: 'canaryOnly' }, ...spec }),
  plan: TEN_PERCENT_DRAWN,
});
const cookie = (fields: object): Partial<WeaveInput> => ({ release: releaseOf({ visitorId: { cookie: fields } }) });

/** A release of `reviews` inside, whose visitors get their ids from the rules of `web`. */
function inside(changes: Partial<WeaveInput>): WeaveInput {
  const service = { service: { host: 'reviews', port: 9080 }, route: { adopt: { virtualService: 'reviews' } } };
  const release = releaseOf({ ...service, visitorId: { issueAt: { virtualService: 'web' } } });
  const routed = virtualService([{ route: to('reviews') }], { hosts: ['reviews'], gateways: ['mesh'] }, 'reviews');
  return { ...edgeInput([]), release, routed, issuing: virtualService([good('page')]), ...changes };
}

/** A root whose only rule leads to the delegate `web-perch`. */
function rootOf(
  match: readonly object[] | undefined,
  spec: Readonly<Record<string, unknown>> = {},
  delegate: object = { name: 'web-perch' },
): KubeObject {
  return virtualService([{ ...(match === undefined ? {} : { match }), delegate }], spec, 'shop');
}

/** A release that owns that delegate. */
function delegate(http: readonly object[], siblings: readonly KubeObject[], spec: Readonly<Record<string, unknown>> = {}): WeaveInput {
  const release = releaseOf({ route: { delegate: { name: 'web-perch', http } }, ...spec });
  return edgeInput([], { release, routed: ownedVirtualService(release) ?? expect.fail('owns nothing'), siblings });
}

const BOTH = { gateways: ['default/web', 'mesh'] };
const other = (object: KubeObject) => ({ ...object, metadata: { ...object.metadata, name: 'other' } });
const setsCookie = { route: [{ ...to('web')[0], headers: { response: { add: { 'Set-Cookie': 'a=1' } } } }] };

const CASES: Readonly<Record<string, WeaveInput>> = {
  'nothing leads to the service': edgeInput([{ route: to('other') }]),
  'nothing leads to the service in the release’s own rules': delegate([{ route: to('other') }], [rootOf(undefined)]),
  'what leads to the service cannot be woven': edgeInput([{ match: at('/a'), route: halves('web') }]),
  'a match on a header that weaving needs': edgeInput([{ match: [{ headers: { Cookie: { exact: 'a' } } }], route: to('web') }, good()]),
  'a match on the parameter of the links': edgeInput([{ match: [{ queryParams: { perch: { exact: '1' } } }], route: to('web') }, good()], {
    release: releaseOf({ optIn: {} }),
  }),
  'weights at the service': edgeInput([{ match: at('/a'), route: halves('web') }, good()]),
  'weights where visitors are drawn': inside({
    ...drawn(),
    release: releaseOf({
      service: { host: 'reviews', port: 9080 },
      route: { adopt: { virtualService: 'reviews' } },
      affinity: { mode: 'canaryOnly' },
      visitorId: { issueAt: { virtualService: 'web' } },
    }),
    issuing: virtualService([{ match: at('/a'), route: halves('page') }, good('page')]),
  }),
  'a Set-Cookie of the destination': edgeInput([{ match: at('/a'), ...setsCookie }, good()]),
  'a rule that delegates': edgeInput([{ match: at('/a'), delegate: { name: 'far', namespace: 'b' } }, good()]),
  'a rule that delegates, where only ids are issued': inside({
    issuing: virtualService([{ match: at('/a'), delegate: { name: 'near' } }, good('page')]),
  }),
  'TCP and TLS routes': edgeInput([], { routed: virtualService([good()], { tcp: [{ route: to('web') }], tls: [{ route: to('web') }] }) }),
  'a redirect, and an answer': edgeInput([
    { match: at('/a'), redirect: { uri: '/' } },
    { match: at('/b'), directResponse: { status: 404 } },
    good(),
  ]),
  'another subset': edgeInput([{ match: at('/a'), route: to('web', { subset: 'v9' }) }, good()]),
  'a rule for every path of a host that is shared': edgeInput([good(), { route: to('web') }], {
    siblings: [virtualService([{ route: to('api') }], {}, 'api')],
  }),
  'the same, through a root': delegate(
    [good(), { route: to('web') }],
    [rootOf(undefined), other(virtualService([{ match: at('/o'), route: to('other') }]))],
  ),
  'ids are to be issued at an object that is not there': inside({ issuing: undefined }),
  'visitors are to be drawn at an object that is not there': inside({
    ...drawn({ visitorId: { issueAt: { virtualService: 'web' } } }),
    issuing: undefined,
  }),
  'ids are to be issued in the mesh': inside({ issuing: virtualService([good('page')], { gateways: ['mesh'] }) }),
  'visitors are to be drawn in the mesh': inside({
    ...drawn({ visitorId: { issueAt: { virtualService: 'web' } } }),
    issuing: virtualService([good('page')], { gateways: ['mesh'] }),
  }),
  'ids are to be issued at a delegate that is reached from the mesh': delegate(
    [{ route: to('web') }],
    [rootOf(undefined, { gateways: ['mesh'] })],
  ),
  'ids can be issued by no rule': inside({
    issuing: virtualService([{ match: [{ headers: { cookie: { exact: 'a' } } }], route: to('page') }]),
  }),
  'visitors can be drawn by no rule': inside({
    ...drawn({
      service: { host: 'reviews', port: 9080 },
      route: { adopt: { virtualService: 'reviews' } },
      visitorId: { issueAt: { virtualService: 'web' } },
    }),
    issuing: virtualService([{ match: at('/a'), route: halves('page') }]),
  }),
  'another release stands in the object': edgeInput([], {
    routed:
      weaveRelease(edgeInput([good()], { release: releaseOf({}, 'earlier') })).routes[0]?.virtualService ?? expect.fail('nothing is woven'),
  }),
  'a cookie whose name asks for Secure': edgeInput([good()], cookie({ name: '__Host-perch' })),
  'a partitioned cookie at plain HTTP': edgeInput([good()], cookie({ partitioned: true, sameSite: 'None' })),
  'a cookie of another domain': edgeInput([good()], cookie({ domain: 'shop.example' })),
  'a cookie of another domain than four hosts': edgeInput([], {
    ...cookie({ domain: 'shop.example' }),
    routed: virtualService([good()], { hosts: ['a.org', '*.b.org', 'c.org', 'd.org', 'shop.example'] }),
  }),
  'an operation that undoes what is added to several destinations': inside({
    issuing: virtualService([{ match: at('/a'), route: halves('page'), headers: { request: { remove: ['baggage'] } } }, good('page')]),
  }),
  'an operation that undoes what a draw adds': edgeInput(
    [{ match: at('/a'), route: to('web'), headers: { response: { set: { 'set-cookie': 'a=1' } } } }, good()],
    drawn(),
  ),
  'an operation on what the destination has one on, too': edgeInput(
    [
      {
        match: at('/a'),
        headers: { request: { set: { 'x-a': 'rule' } } },
        route: [{ destination: { host: 'web' }, headers: { request: { set: { 'x-a': 'destination' } } } }],
      },
      good(),
    ],
    drawn(),
  ),
  'a match by source, where the mesh leads here, too': edgeInput([], {
    routed: virtualService([{ match: [{ sourceLabels: { app: 'page' } }], route: to('web') }, good()], BOTH),
  }),
  'the same, where visitors are drawn': edgeInput([], {
    ...drawn(),
    routed: virtualService([{ match: [{ sourceLabels: { app: 'page' } }], route: to('web') }, good()], BOTH),
  }),
  'a root that matches on a header that weaving needs': delegate(
    [{ route: to('web') }],
    [rootOf([{ headers: { COOKIE: { exact: 'a' } } }])],
  ),
  'a root whose match is for the gateway only': delegate(
    [{ route: to('web') }],
    [rootOf([{ gateways: ['default/web'], uri: { prefix: '/a' } }, { uri: { prefix: '/b' } }], BOTH)],
  ),
  'a root that excludes a match': delegate(
    [{ match: [{ uri: { prefix: '/a' }, gateways: ['default/web'] }, { uri: { prefix: '/b' } }], route: to('web') }, good()],
    [rootOf(at('/a'), BOTH)],
  ),
  'roots whose conditions cannot be repeated': delegate(
    [{ route: to('web') }, good()],
    [rootOf([{ uri: { prefix: '/a' }, ignoreUriCase: true }]), other(rootOf(at('/b'), { hosts: ['b.test'] }))],
  ),
  'nobody delegates to the release’s own rules': delegate([{ route: to('web') }], []),
  'a root means the delegate of another namespace': delegate(
    [{ route: to('web') }],
    [rootOf(undefined, {}, { name: 'web-perch', namespace: 'b' })],
  ),
  'nobody delegates to where ids are to be issued': inside({
    issuing: virtualService([good('page')], { hosts: undefined, gateways: undefined }),
  }),
};

function written({ code, severity, message, object, path, hint }: Diagnostic): string {
  return [`  ${severity} ${code} ${object} ${path}`, `    ${message}`, ...(hint === undefined ? [] : [`    hint: ${hint}`])].join('\n');
}

describe('what weaving says', () => {
  const say = (input: WeaveInput) => weaveRelease(input).diagnostics;

  it('is src/core/weave/examples/findings.txt', async () => {
    const texts = Object.entries(CASES).map(([name, input]) => `${[name, ...say(input).map(written)].join('\n')}\n`);
    await expect(texts.join('\n')).toMatchFileSnapshot('examples/findings.txt');
  });

  it.each(Object.entries(CASES))('%s: something', (_, input) => {
    expect(say(input)).not.toEqual([]);
  });
});
