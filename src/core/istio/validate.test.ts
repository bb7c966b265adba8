import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseManifests } from '../source/manifests.ts';
import { isRoutingKind, isSkippableKind } from './kinds.ts';
import { validateRoutingObject } from './validate.ts';

/** Everything that is said about the objects of a YAML text: `CODE path: message`. */
function findings(yaml: string): readonly string[] {
  const { objects, diagnostics } = parseManifests(yaml, 'test.yaml');
  expect(diagnostics).toEqual([]);
  return objects.flatMap(({ object, locate }) => validateRoutingObject(object, locate)).map(({ code, path }) => `${code} ${path}`);
}

const object = (kind: string, spec: string, apiVersion = 'networking.istio.io/v1') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: test}\nspec: ${spec}\n`;
const DESTINATION = 'route: [{destination: {host: web}}]';
/** A VirtualService with one rule; what is given is the rule in YAML flow style. */
const rule = (text: string) => findings(object('VirtualService', `{hosts: [web], http: [{${text}}]}`));
const matching = (match: string) => rule(`match: [${match}], ${DESTINATION}`);

describe('what has to be taken as it is', () => {
  test.each(['article', 'bookinfo'])('every Istio object of examples/%s', (folder) => {
    const root = new URL(`../../../examples/${folder}/`, import.meta.url);
    const files = readdirSync(root).filter((name) => name.endsWith('.yaml') && name !== 'release.yaml');
    expect(files.length).toBeGreaterThan(3);
    for (const name of files) expect(findings(readFileSync(new URL(name, root), 'utf8')), name).toEqual([]);
  });

  test('every field that the gateway interprets', () => {
    const everything = `
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: all}
spec:
  hosts: [web, "*.shop.test", 10.0.0.1]
  gateways: [edge, other/edge, mesh]
  exportTo: ["*"]
  http:
  - name: first
    match:
    - name: block
      uri: {prefix: ""}
      ignoreUriCase: true
      method: {exact: GET}
      authority: {prefix: shop}
      scheme: {regex: https?}
      headers: {Cookie: {regex: .*a.*}, x: {}, ":path": {prefix: /}, y: {exact: ""}}
      withoutHeaders: {x: {regex: "*"}}
      queryParams: {q: {exact: ""}}
      port: 80
      gateways: [edge]
    route:
    - {destination: {host: web, subset: v1, port: {number: 80}}, weight: 0, headers: {request: {set: {a: "%REQ(x)% 100%%"}, remove: [b]}}}
    - {destination: {host: web}, weight: 7, headers: {response: {add: {Set-Cookie: a=b}}}}
    timeout: 1.5s
    retries: {attempts: 0}
    rewrite: {uriRegexRewrite: {match: "/(a)", rewrite: '/\\1'}, authority: shop}
    headers: {request: {add: {":authority": x}}}
  - redirect: {scheme: https, derivePort: FROM_REQUEST_PORT, redirectCode: 308}
  - directResponse: {status: 503, body: {string: busy}}
  - match: [{uri: {prefix: /api}}]
    delegate: {name: api, namespace: other}
`;
    expect(findings(everything)).toEqual(['PERCH1104 spec.http[0].headers.request.add[":authority"]']);
  });
});

describe('fields', () => {
  test('an unknown one names the one that was meant, and its place', () => {
    const text = object('VirtualService', `{hosts: [web], http: [{timout: 3s, ${DESTINATION}}]}`);
    const [found] = parseManifests(text, 'vs.yaml').objects;
    if (found === undefined) throw new Error('not read');
    expect(validateRoutingObject(found.object, found.locate)).toMatchObject([
      {
        code: 'PERCH1101',
        severity: 'error',
        object: 'VirtualService default/test',
        path: 'spec.http[0].timout',
        source: { file: 'vs.yaml', line: 4, column: 30 },
        hint: 'did you mean timeout?',
      },
    ]);
  });

  test.each([
    [
      'a typo in a matcher',
      'VirtualService',
      `{hosts: [web], http: [{match: [{uri: {prefx: /}}], ${DESTINATION}}]}`,
      /^PERCH110[13] spec.http\[0\].match\[0\].uri/,
    ],
    [
      'two kinds of match',
      'VirtualService',
      `{hosts: [web], http: [{match: [{uri: {exact: /, prefix: /}}], ${DESTINATION}}]}`,
      /^PERCH1103 spec.http\[0\].match\[0\].uri/,
    ],
    [
      'a uri without a kind',
      'VirtualService',
      `{hosts: [web], http: [{match: [{uri: {}}], ${DESTINATION}}]}`,
      /^PERCH110[23] spec.http\[0\].match\[0\].uri/,
    ],
    // Part of a request line or of a Location: a line end in one would begin a header of the route author's choice.
    ...['rewrite: {uri: V}', 'rewrite: {authority: V}', 'rewrite: {uriRegexRewrite: {match: a, rewrite: V}}'].flatMap((field) =>
      ['"/a\\r\\nX: y"', '"/a b"', '"/a\\0"', '"/a\\x7f"'].map((value): [string, string, string, RegExp] => [
        `${field} with ${value}`,
        'VirtualService',
        `{hosts: [web], http: [{${field.replace('V', value)}, ${DESTINATION}}]}`,
        /^PERCH1103 spec.http\[0\].rewrite\./,
      ]),
    ),
    ...['uri', 'authority', 'prefixRewrite'].map((field): [string, string, string, RegExp] => [
      `a line end in redirect.${field}`,
      'VirtualService',
      `{hosts: [web], http: [{match: [{uri: {prefix: /}}], redirect: {${field}: "/a\\r\\nX: y"}}]}`,
      new RegExp(`^PERCH1103 spec.http\\[0\\].redirect.${field}$`),
    ]),
    ['no http', 'VirtualService', '{hosts: [web]}', /^PERCH1102 spec.http$/],
    [
      'a number as text',
      'VirtualService',
      '{hosts: [web], http: [{route: [{destination: {host: web, port: {number: "80"}}}]}]}',
      /^PERCH1103 .*number$/,
    ],
    ['a port out of range', 'Gateway', '{servers: [{port: {number: 0, name: a, protocol: HTTP}, hosts: ["*"]}]}', /^PERCH1103 .*number$/],
    ['no servers', 'Gateway', '{servers: []}', /^PERCH1103 spec.servers$/],
    ['no spec', 'DestinationRule', '', /^PERCH1102 spec/],
    ['no port name', 'ServiceEntry', '{hosts: [a.test], resolution: STATIC, ports: [{number: 80}]}', /^PERCH1102 .*name$/],
    ['a label that is a number', 'WorkloadEntry', '{address: 10.0.0.1, labels: {version: 1}}', /^PERCH1103 spec.labels.version$/],
    [
      'a negative weight',
      'VirtualService',
      '{hosts: [web], http: [{route: [{destination: {host: web}, weight: -1}]}]}',
      /^PERCH1103 .*weight$/,
    ],
    [
      'no whole weight',
      'VirtualService',
      '{hosts: [web], http: [{route: [{destination: {host: web}, weight: 0.5}]}]}',
      /^PERCH1103 .*weight$/,
    ],
  ])('%s', (_, kind, spec, expected) => {
    const found = findings(object(kind, spec));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  test('all mistakes are told at once', () => {
    const text = object(
      'VirtualService',
      `{hosts: ["*"], gatways: [edge], http: [
        {nmae: a, route: [{destination: {host: web}, weight: x}]},
        {match: [{uri: {regex: "["}}], redirect: {redirectCode: 304}, ${DESTINATION}},
        {match: [{headers: {x: {regex: ""}, "b b": {}}}], timeout: 0s, fault: {}, ${DESTINATION}},
        {match: [{headers: {y: {prefix: ""}}}], ${DESTINATION}, rewrite: {}}]}`,
    );
    const found = findings(text);
    for (const path of [
      'PERCH1101 spec.gatways',
      'PERCH1101 spec.http[0].nmae',
      'PERCH1103 spec.http[0].route[0].weight',
      'PERCH1103 spec.http[1].redirect.redirectCode',
      'PERCH1103 spec.http[2].timeout',
      'PERCH1301 spec.http[2].fault',
      'PERCH1104 spec.hosts[0]',
      'PERCH1104 spec.http[3].match[0].headers.y',
      'PERCH1104 spec.http[3].rewrite',
    ]) {
      expect(found).toContain(path);
    }
  });
});

describe('what only Istio does is refused, never ignored (13xx)', () => {
  test.each([
    ['http[0].retries', 'retries: {attempts: 3}'],
    ['http[0].retries', 'retries: {attempts: 0, retryOn: 5xx}'],
    ['http[0].fault', 'fault: {abort: {httpStatus: 500}}'],
    ['http[0].corsPolicy', 'corsPolicy: {}'],
    ['http[0].mirror', 'mirror: {host: web}'],
    ['http[0].mirrors', 'mirrors: []'],
    ['http[0].mirrorPercentage', 'mirrorPercentage: {value: 1}'],
    ['http[0].match[0].sourceLabels', 'match: [{sourceLabels: {a: b}}]'],
    ['http[0].match[0].sourceNamespace', 'match: [{sourceNamespace: a}]'],
    ['http[0].match[0].headers', 'match: [{headers: {"@request.auth.claims[sub]": {exact: a}}}]'],
    ['http[0].headers.request.add', 'headers: {request: {add: {x: "%START_TIME%"}}}'],
  ])('in a rule: %s, %s', (path, text) => {
    const found = rule(`${text}, ${DESTINATION}`);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(`PERCH1301 spec.${path}`), found[0]).toBe(true);
  });

  test.each([
    ['VirtualService', `{hosts: [web], tls: [], http: [{${DESTINATION}}]}`, 'spec.tls'],
    ['VirtualService', `{hosts: [web], tcp: [], http: [{${DESTINATION}}]}`, 'spec.tcp'],
    ['VirtualService', `{hosts: [web], exportTo: [.], http: [{${DESTINATION}}]}`, 'spec.exportTo[0]'],
    ['DestinationRule', '{host: web, trafficPolicy: {loadBalancer: {}}}', 'spec.trafficPolicy.loadBalancer'],
    [
      'DestinationRule',
      '{host: web, trafficPolicy: {outlierDetection: {splitExternalLocalOriginErrors: true}}}',
      'spec.trafficPolicy.outlierDetection.splitExternalLocalOriginErrors',
    ],
    ['DestinationRule', '{host: web, workloadSelector: {}}', 'spec.workloadSelector'],
    ['DestinationRule', '{host: web, subsets: [{name: v1, trafficPolicy: {tls: {}}}]}', 'spec.subsets[0].trafficPolicy.tls'],
    ['Gateway', '{servers: [{port: {number: 443, name: a, protocol: TLS}, hosts: ["*"]}]}', 'spec.servers[0].port.protocol'],
    ['Gateway', '{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ["*"], tls: {caCrl: a}}]}', 'spec.servers[0].tls.caCrl'],
    ['ServiceEntry', '{hosts: [a.test], resolution: DNS, ports: [{number: 80, name: a}]}', 'spec.resolution'],
    ['ServiceEntry', '{hosts: [a.test], resolution: STATIC, ports: [{number: 80, name: a, protocol: TCP}]}', 'spec.ports[0].protocol'],
    ['ServiceEntry', '{hosts: [a.test], addresses: [10.0.0.1], resolution: STATIC, ports: [{number: 80, name: a}]}', 'spec.addresses'],
    [
      'ServiceEntry',
      '{hosts: [a.test], resolution: STATIC, ports: [{number: 80, name: a}], endpoints: [{address: 10.0.0.1, weight: 3}]}',
      'spec.endpoints[0].weight',
    ],
    [
      'ServiceEntry',
      '{hosts: [a.test], resolution: STATIC, ports: [{number: 80, name: a}], endpoints: [{address: "unix:///run/a"}]}',
      'spec.endpoints[0].address',
    ],
    ['WorkloadEntry', '{address: 10.0.0.1, network: a}', 'spec.network'],
    ['Sidecar', '{}', 'kind'],
  ])('%s %s', (kind, spec, path) => {
    expect(findings(object(kind, spec))).toEqual([`PERCH1301 ${path}`]);
  });
});

describe('Istio’s own rules (istio-semantics 3), and what Envoy would refuse', () => {
  test.each([
    ['no action', 'name: a', 'http[0]'],
    ['two actions', `redirect: {uri: /}, ${DESTINATION}`, 'http[0]'],
    ['two actions', `directResponse: {status: 200}, ${DESTINATION}`, 'http[0]'],
    ['delegate and route', `delegate: {name: a}, ${DESTINATION}`, 'http[0]'],
    ['redirect and rewrite', 'redirect: {uri: /a}, rewrite: {uri: /}', 'http[0].rewrite'],
    ['all weights 0', 'route: [{destination: {host: a}}, {destination: {host: b}, weight: 0}]', 'http[0].route'],
    ['a destination *', 'route: [{destination: {host: "*"}}]', 'http[0].route[0].destination.host'],
    ['a subset name', 'route: [{destination: {host: a, subset: "v 1"}}]', 'http[0].route[0].destination.subset'],
    ['an empty rewrite', `rewrite: {}, ${DESTINATION}`, 'http[0].rewrite'],
    ['two rewrites', `rewrite: {uri: /, uriRegexRewrite: {match: a, rewrite: b}}, ${DESTINATION}`, 'http[0].rewrite'],
    [
      'a group that is not there',
      `rewrite: {uriRegexRewrite: {match: a, rewrite: '\\1'}}, ${DESTINATION}`,
      'http[0].rewrite.uriRegexRewrite.rewrite',
    ],
    [
      'a regex that RE2 refuses',
      `rewrite: {uriRegexRewrite: {match: '(?=a)', rewrite: b}}, ${DESTINATION}`,
      'http[0].rewrite.uriRegexRewrite.match',
    ],
    ['an empty redirect', 'redirect: {redirectCode: 302}', 'http[0].redirect'],
    ['uri and prefixRewrite', 'match: [{uri: {prefix: /}}], redirect: {uri: /, prefixRewrite: /}', 'http[0].redirect'],
    ['prefixRewrite without prefix', 'match: [{uri: {exact: /}}], redirect: {prefixRewrite: /}', 'http[0].redirect.prefixRewrite'],
    ['a lone percent sign', `headers: {response: {add: {x: 50%}}}, ${DESTINATION}`, 'http[0].headers.response.add.x'],
    ['an operator that Envoy lacks', `headers: {response: {add: {x: "%FOO%"}}}, ${DESTINATION}`, 'http[0].headers.response.add.x'],
    ['a length', `headers: {response: {add: {x: "%REQ(x):3%"}}}, ${DESTINATION}`, 'http[0].headers.response.add.x'],
    ['Host in a response', `headers: {response: {set: {host: a}}}, ${DESTINATION}`, 'http[0].headers.response.set.host'],
    ['Host removed', `headers: {request: {remove: [Host]}}, ${DESTINATION}`, 'http[0].headers.request.remove[0]'],
    ['a pseudo header', `headers: {request: {set: {":path": /}}}, ${DESTINATION}`, 'http[0].headers.request.set[":path"]'],
    ['no header name', `headers: {request: {set: {"a b": c}}}, ${DESTINATION}`, 'http[0].headers.request.set["a b"]'],
    [
      'Host twice',
      `headers: {request: {set: {host: a}, add: {":authority": b}}}, ${DESTINATION}`,
      'http[0].headers.request.add[":authority"]',
    ],
  ])('%s: %s', (_, text, path) => {
    expect(rule(text)).toEqual([`PERCH1104 spec.${path}`]);
  });

  test.each([
    ['{headers: {x: {prefix: ""}}}', 'headers.x'],
    ['{headers: {x: {regex: ""}}}', 'headers.x.regex'],
    ['{headers: {x: {regex: "*"}}}', 'headers.x.regex'],
    ['{headers: {x: {regex: "(?<!a)b"}}}', 'headers.x.regex'],
    ['{headers: {"a b": {}}}', 'headers["a b"]'],
    ['{headers: {":unknown": {}}}', 'headers[":unknown"]'],
    ['{queryParams: {x: {regex: "*"}}}', 'queryParams.x.regex'],
    ['{uri: {regex: "["}}', 'uri.regex'],
    ['{method: {prefix: ""}}', 'method'],
  ])('match %s', (match, path) => {
    expect(matching(match)).toEqual([`PERCH1104 spec.http[0].match[0].${path}`]);
  });

  test.each([
    ['* in the mesh', '{hosts: ["*"], http: [{route: [{destination: {host: a}}]}]}', 'hosts[0]'],
    ['* in the mesh, too', '{hosts: ["*"], gateways: [edge, mesh], http: [{route: [{destination: {host: a}}]}]}', 'hosts[0]'],
    ['a host twice', '{hosts: [a, a], http: [{route: [{destination: {host: a}}]}]}', 'hosts[1]'],
    ['hosts that overlap', '{hosts: ["*.a.test", b.a.test], http: [{route: [{destination: {host: a}}]}]}', 'hosts[1]'],
    ['no host name', '{hosts: [a_b.test], http: [{route: [{destination: {host: a}}]}]}', 'hosts[0]'],
    ['a wildcard inside', '{hosts: ["a.*.test"], http: [{route: [{destination: {host: a}}]}]}', 'hosts[0]'],
    ['a numeric top level domain', '{hosts: [a.1], http: [{route: [{destination: {host: a}}]}]}', 'hosts[0]'],
    ['./gateway (section 9)', '{hosts: [a], gateways: [./edge], http: [{route: [{destination: {host: a}}]}]}', 'gateways[0]'],
    ['a delegate with gateways', '{gateways: [edge], http: [{route: [{destination: {host: a}}]}]}', 'gateways'],
    ['a delegate that delegates', '{http: [{delegate: {name: a}}]}', 'http[0].delegate'],
  ])('VirtualService, %s', (_, spec, path) => {
    expect(findings(object('VirtualService', spec))).toEqual([`PERCH1104 spec.${path}`]);
  });

  test.each([
    ['Gateway', '{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [short]}]}', 'servers[0].hosts[0]'],
    ['Gateway', '{servers: [{port: {number: 80, name: a, protocol: HTTP, targetPort: 81}, hosts: ["*"]}]}', 'servers[0].port.targetPort'],
    ['Gateway', '{servers: [{port: {number: 80, name: a, protocol: HTTP}, bind: localhost, hosts: ["*"]}]}', 'servers[0].bind'],
    [
      'Gateway',
      '{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ["*"]}, {port: {number: 81, name: a, protocol: HTTP}, hosts: ["*"]}]}',
      'servers[1].port.name',
    ],
    ['DestinationRule', '{host: web, trafficPolicy: {}}', 'trafficPolicy'],
    ['DestinationRule', '{host: web, subsets: [{name: v1, trafficPolicy: {}}]}', 'subsets[0].trafficPolicy'],
    ['DestinationRule', '{host: web, subsets: [{name: v1}, {name: v1}]}', 'subsets[1].name'],
    ['DestinationRule', '{host: web, subsets: [{name: v_1}]}', 'subsets[0].name'],
    ['ServiceEntry', '{hosts: ["*"], resolution: STATIC, ports: [{number: 80, name: a}]}', 'hosts[0]'],
    ['ServiceEntry', '{hosts: [a.test], resolution: STATIC, ports: [{number: 80, name: a}, {number: 80, name: b}]}', 'ports[1].number'],
    ['ServiceEntry', '{hosts: [a.test], resolution: STATIC, ports: [{number: 80, name: a}, {number: 81, name: a}]}', 'ports[1].name'],
    [
      'ServiceEntry',
      '{hosts: [a.test], resolution: STATIC, ports: [{number: 80, name: a}], endpoints: [{address: 10.0.0.1, ports: {b: 1}}]}',
      'endpoints[0].ports.b',
    ],
    [
      'ServiceEntry',
      '{hosts: [a.test], resolution: STATIC, ports: [{number: 80, name: a}], endpoints: [{address: 10.0.0.1}], workloadSelector: {labels: {a: b}}}',
      'workloadSelector',
    ],
  ])('%s %s', (kind, spec, path) => {
    expect(findings(object(kind, spec))).toEqual([`PERCH1104 spec.${path}`]);
  });
});

test('sizes: a regex of 1024 characters, a body below 1 MB', () => {
  const check = (rule: object) =>
    validateRoutingObject({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'a' },
      spec: { hosts: ['a'], http: [rule] },
    });
  const regex = (length: number) => ({ match: [{ uri: { regex: 'a'.repeat(length) } }], route: [{ destination: { host: 'a' } }] });
  const body = (length: number) => ({ directResponse: { status: 200, body: { string: 'a'.repeat(length) } } });
  expect([check(regex(1024)), check(body(1024 * 1024 - 1))]).toEqual([[], []]);
  expect(check(regex(1025))).toMatchObject([{ code: 'PERCH1104', path: 'spec.http[0].match[0].uri.regex' }]);
  expect(check(body(1024 * 1024))).toMatchObject([{ code: 'PERCH1104', path: 'spec.http[0].directResponse.body' }]);
});

describe('kinds and versions', () => {
  test.each(['v1', 'v1beta1', 'v1alpha3'])('%s is read', (version) => {
    expect(findings(object('DestinationRule', '{host: web}', `networking.istio.io/${version}`))).toEqual([]);
  });

  test('another version is not', () => {
    expect(findings(object('DestinationRule', '{host: web}', 'networking.istio.io/v2'))).toEqual(['PERCH1105 apiVersion']);
  });

  test.each([
    ['apps/v1', 'Deployment', true],
    ['v1', 'Service', true],
    ['security.istio.io/v1', 'AuthorizationPolicy', true],
    ['networking.k8s.io/v1', 'Ingress', true],
    ['gateway.solo.io/v1', 'VirtualService', true],
    ['networking.istio.oi/v1', 'VirtualService', false],
    ['perch.dv/v1alpha1', 'CanaryRelease', false],
    ['v1', 'CanaryRelease', false],
    ['networking.istio.io/v1', 'VirtualService', false],
    ['networking.istio.io/v1', 'Sidecar', false],
    ['gateway.networking.k8s.io/v1', 'HTTPRoute', false],
    ['perch.dev/v1alpha1', 'CanaryRelease', false],
  ])('%s %s may be left out with a note: %s', (apiVersion, kind, expected) => {
    expect(isSkippableKind({ apiVersion, kind })).toBe(expected);
  });

  test('the kinds that the gateway interprets', () => {
    expect(['Gateway', 'VirtualService', 'DestinationRule', 'ServiceEntry', 'WorkloadEntry'].every(isRoutingKind)).toBe(true);
    expect(['Sidecar', 'CanaryRelease', 'Service'].some(isRoutingKind)).toBe(false);
  });
});
