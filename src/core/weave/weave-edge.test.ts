import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { edgeInput, releaseOf, rulesOf, TEN_PERCENT, virtualService } from './fixtures.cases.ts';
import { unweave } from './unweave.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

/** What the rules of the only, or the last, woven object look like, as YAML. */
function wovenRules(input: WeaveInput): string {
  const { routes, diagnostics } = weaveRelease(input);
  expect(diagnostics).toEqual([]);
  return stringify(rulesOf(routes.at(-1)?.virtualService), { lineWidth: 0, aliasDuplicateObjects: false });
}

function yaml(parts: TemplateStringsArray): string {
  return `${(parts.raw[0] ?? '').replace(/^\n/, '').trimEnd()}\n`;
}

describe('at the edge', () => {
  const base = [
    {
      name: 'shop',
      match: [{ uri: { prefix: '/shop' } }, { uri: { exact: '/cart' }, headers: { 'x-tenant': { exact: 'a' } } }],
      route: [{ destination: { host: 'web', port: { number: 8080 } } }],
      timeout: '5s',
    },
  ];

  it('a rule becomes: known canary, known stable, new canary, new stable, rest', () => {
    expect(wovenRules(edgeInput(base))).toBe(yaml`
- name: perch:default/web:known:canary:-:shop
  match:
    - uri:
        prefix: /shop
      headers:
        :path:
          prefix: /shop
        cookie:
          regex: (?:.*; ?)?perch=[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*(?:;.*)?
    - uri:
        exact: /cart
      headers:
        x-tenant:
          exact: a
        :path:
          prefix: /cart
        cookie:
          regex: (?:.*; ?)?perch=[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*(?:;.*)?
  route:
    - destination:
        host: web
        port:
          number: 8080
        subset: v2
  timeout: 5s
- name: perch:default/web:known:stable:-:shop
  match:
    - uri:
        prefix: /shop
      headers:
        :path:
          prefix: /shop
        cookie:
          regex: (?:.*; ?)?perch=[0-9a-f-]*-[0-9a-f]{12}(?:;.*)?
    - uri:
        exact: /cart
      headers:
        x-tenant:
          exact: a
        :path:
          prefix: /cart
        cookie:
          regex: (?:.*; ?)?perch=[0-9a-f-]*-[0-9a-f]{12}(?:;.*)?
  route:
    - destination:
        host: web
        port:
          number: 8080
        subset: v1
  timeout: 5s
- name: perch:default/web:new:canary:-:shop
  match:
    - uri:
        prefix: /shop
      headers:
        :path:
          prefix: /shop
        accept:
          regex: .*text/html.*
        x-request-id:
          regex: "[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*"
    - uri:
        prefix: /shop
      headers:
        :path:
          prefix: /shop
        sec-fetch-mode:
          exact: navigate
        x-request-id:
          regex: "[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*"
    - uri:
        exact: /cart
      headers:
        x-tenant:
          exact: a
        :path:
          prefix: /cart
        accept:
          regex: .*text/html.*
        x-request-id:
          regex: "[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*"
    - uri:
        exact: /cart
      headers:
        x-tenant:
          exact: a
        :path:
          prefix: /cart
        sec-fetch-mode:
          exact: navigate
        x-request-id:
          regex: "[0-9a-f-]*-(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*"
  route:
    - destination:
        host: web
        port:
          number: 8080
        subset: v2
      headers:
        response:
          add:
            Set-Cookie: perch=%REQ(x-request-id)%; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax
            Cache-Control: private
  timeout: 5s
- name: perch:default/web:new:stable:-:shop
  match:
    - uri:
        prefix: /shop
      headers:
        :path:
          prefix: /shop
        accept:
          regex: .*text/html.*
        x-request-id:
          regex: "[0-9a-f-]*-[0-9a-f]{12}"
    - uri:
        prefix: /shop
      headers:
        :path:
          prefix: /shop
        sec-fetch-mode:
          exact: navigate
        x-request-id:
          regex: "[0-9a-f-]*-[0-9a-f]{12}"
    - uri:
        exact: /cart
      headers:
        x-tenant:
          exact: a
        :path:
          prefix: /cart
        accept:
          regex: .*text/html.*
        x-request-id:
          regex: "[0-9a-f-]*-[0-9a-f]{12}"
    - uri:
        exact: /cart
      headers:
        x-tenant:
          exact: a
        :path:
          prefix: /cart
        sec-fetch-mode:
          exact: navigate
        x-request-id:
          regex: "[0-9a-f-]*-[0-9a-f]{12}"
  route:
    - destination:
        host: web
        port:
          number: 8080
        subset: v1
      headers:
        response:
          add:
            Set-Cookie: perch=%REQ(x-request-id)%; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax
            Cache-Control: private
  timeout: 5s
- name: perch:default/web:rest:stable:-:shop
  match:
    - uri:
        prefix: /shop
    - uri:
        exact: /cart
      headers:
        x-tenant:
          exact: a
  route:
    - destination:
        host: web
        port:
          number: 8080
        subset: v1
  timeout: 5s
`);
  });

  it('a rule without match is woven as if it had one empty block, and its rest keeps none', () => {
    const rules = rulesOf(weaveRelease(edgeInput([{ route: [{ destination: { host: 'web', subset: 'v1' } }] }])).routes[0]?.virtualService);
    expect(rules[1]).toEqual({
      name: 'perch:default/web:known:stable:v1',
      match: [{ headers: { cookie: { regex: '(?:.*; ?)?perch=[0-9a-f-]*-[0-9a-f]{12}(?:;.*)?' } } }],
      route: [{ destination: { host: 'web', subset: 'v1' } }],
    });
    expect(rules[4]).toEqual({ name: 'perch:default/web:rest:stable:v1', route: [{ destination: { host: 'web', subset: 'v1' } }] });
  });

  it('rules are left out when no visitor can reach them: canary at cutoff 0, stable at cutoff 4096', () => {
    const names = (cutoff: number) =>
      rulesOf(weaveRelease(edgeInput(base, { plan: { ...TEN_PERCENT, cutoff } })).routes[0]?.virtualService).map((rule) =>
        (rule.name ?? '').split(':').slice(2, 4).join(' '),
      );
    expect(names(0)).toEqual(['known stable', 'new stable', 'rest stable']);
    expect(names(1)).toEqual(['known canary', 'known stable', 'new canary', 'new stable', 'rest stable']);
    expect(names(4096)).toEqual(['known canary', 'new canary', 'rest stable']);
  });

  it('settled: the issuing rules stay and lead to the live version, so that the next release finds its visitors', () => {
    const rules = rulesOf(weaveRelease(edgeInput(base, { plan: { kind: 'settled', live: { subset: 'v2' } } })).routes[0]?.virtualService);
    expect(rules.map((rule) => (rule.name ?? '').split(':')[2])).toEqual(['known', 'new', 'rest']);
    expect(rules.map((rule) => rule.route?.[0]?.destination.subset)).toEqual(['v2', 'v2', 'v2']);
    expect(rules[1]?.route?.[0]?.headers?.response?.add?.['Set-Cookie']).toContain('perch=%REQ(x-request-id)%;');
  });

  it('issueOn: all asks for no document', () => {
    const release = releaseOf({ visitorId: { issueOn: 'all' } });
    const rules = rulesOf(weaveRelease(edgeInput(base, { release })).routes[0]?.virtualService);
    expect(rules[2]?.match?.map((block) => Object.keys(block.headers ?? {}))).toEqual([
      [':path', 'x-request-id'],
      ['x-tenant', ':path', 'x-request-id'],
    ]);
  });

  it('the guard repeats prefix and exact paths only: a regex has none, and a path whose case does not count', () => {
    const http = [
      {
        match: [
          { uri: { regex: '/a.*' } },
          { uri: { prefix: '/B' }, ignoreUriCase: true },
          { method: { exact: 'GET' } },
          { uri: { prefix: '' } },
        ],
        route: [{ destination: { host: 'web' } }],
      },
    ];
    const [known] = rulesOf(weaveRelease(edgeInput(http)).routes[0]?.virtualService);
    expect(known?.match?.flatMap((block) => Object.keys(block.headers ?? {}))).toEqual(['cookie', 'cookie', 'cookie', 'cookie']);
  });

  it('cache: private marks the answers of both cohorts and of the rest, while a release runs, and is taken out again', () => {
    const release = releaseOf({ cache: 'private' });
    const marked = (plan: WeaveInput['plan']) =>
      rulesOf(weaveRelease(edgeInput(base, { release, plan })).routes[0]?.virtualService).map(
        (rule) => rule.route?.[0]?.headers?.response?.add?.['Cache-Control'],
      );
    expect(marked(TEN_PERCENT)).toEqual(['private', 'private', 'private', 'private', 'private']);
    const woven = weaveRelease(edgeInput(base, { release, plan: TEN_PERCENT })).routes[0]?.virtualService;
    expect(woven === undefined ? [] : rulesOf(unweave(woven))).toEqual(base);
    expect(marked({ kind: 'settled', live: { subset: 'v2' } })).toEqual([undefined, 'private', undefined]);
  });

  it('an addition to Cache-Control by the base is kept before ours; its Set-Cookie in the rule stays where it is', () => {
    const http = [
      {
        route: [{ destination: { host: 'web' }, headers: { response: { add: { 'cache-control': 'no-store' }, remove: ['server'] } } }],
        headers: { response: { add: { 'Set-Cookie': 'theirs=1' } } },
      },
    ];
    const issuing = rulesOf(weaveRelease(edgeInput(http)).routes[0]?.virtualService)[3];
    expect(issuing?.route?.[0]?.headers?.response?.add).toEqual({
      'cache-control': 'no-store,private',
      'Set-Cookie': 'perch=%REQ(x-request-id)%; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax',
    });
    expect(issuing?.route?.[0]?.headers?.response?.remove).toEqual(['server']);
    expect(issuing?.headers).toEqual({ response: { add: { 'Set-Cookie': 'theirs=1' } } });
  });

  it('a version may be another host: host, port and subset are replaced', () => {
    const plan: WeaveInput['plan'] = { ...TEN_PERCENT, canary: { host: 'web-v2', port: 9090 }, stable: { host: 'web-v1' } };
    const rules = rulesOf(weaveRelease(edgeInput([{ route: [{ destination: { host: 'web' } }] }], { plan })).routes[0]?.virtualService);
    expect(rules.map((rule) => [rule.name, rule.route?.[0]?.destination])).toEqual([
      ['perch:default/web:known:canary:-@web@', { host: 'web-v2', port: { number: 9090 } }],
      ['perch:default/web:known:stable:-@web@', { host: 'web-v1', port: { number: 8080 } }],
      ['perch:default/web:new:canary:-@web@', { host: 'web-v2', port: { number: 9090 } }],
      ['perch:default/web:new:stable:-@web@', { host: 'web-v1', port: { number: 8080 } }],
      ['perch:default/web:rest:stable:-@web@', { host: 'web-v1', port: { number: 8080 } }],
    ]);
  });

  it('in an object bound to mesh and gateways only the part of the gateways issues ids', () => {
    const http = [
      {
        match: [
          { uri: { prefix: '/a' } },
          { uri: { prefix: '/b' }, gateways: ['mesh'] },
          { uri: { prefix: '/c' }, gateways: ['mesh', 'web'] },
          { uri: { prefix: '/d' }, sourceLabels: { app: 'x' } },
        ],
        route: [{ destination: { host: 'web' } }],
      },
    ];
    const routed = virtualService(http, { gateways: ['mesh', 'web'] });
    const { routes, diagnostics } = weaveRelease(edgeInput([], { routed, release: releaseOf({ visitorId: { issueOn: 'all' } }) }));
    const rules = rulesOf(routes[0]?.virtualService);
    const blocks = (index: number) => rules[index]?.match?.map((block) => [block.uri, block.gateways]);
    expect(blocks(0)).toEqual([
      [{ prefix: '/a' }, undefined],
      [{ prefix: '/b' }, ['mesh']],
      [{ prefix: '/c' }, ['mesh', 'web']],
      [{ prefix: '/d' }, undefined],
    ]);
    expect(blocks(2)).toEqual([
      [{ prefix: '/a' }, ['web']],
      [{ prefix: '/c' }, ['web']],
    ]);
    // Naming gateways would switch sourceLabels off, so that block issues nothing, and says so.
    expect(diagnostics.map(({ code, severity, path }) => [code, severity, path])).toEqual([['PERCH2015', 'info', 'spec.http[0].match[3]']]);
  });
});
