import { describe, expect, test } from 'vitest';
import { findings, IDENTITY, specWith, validate } from './validation.cases.ts';

describe('the VirtualService that a release declares is judged like any other, at its place in the release', () => {
  const judged = (form: 'delegate' | 'managed', rule: string, more = '') => {
    const fields = form === 'delegate' ? 'name: reviews-perch' : `hosts: [reviews]${more}`;
    return findings(specWith({ route: `{${form}: {${fields}, http: [{route: [{destination: {host: reviews}}]}, ${rule}]}}` }));
  };

  test.each([
    ['{match: [{uri: {prefix: /}}]}', '', 'it does nothing with the requests it takes'],
    ['{mtch: [], route: [{destination: {host: reviews}}]}', '.mtch', 'there is no field'],
    ['{route: [{destination: {hots: reviews, host: reviews}}]}', '.route[0].destination.hots', 'there is no field'],
    ['{timeout: 5, route: [{destination: {host: reviews}}]}', '.timeout', 'must be a duration'],
    ['{fault: {}, route: [{destination: {host: reviews}}]}', '.fault', 'is not supported yet by the embedded gateway'],
    ['{match: [{uri: {regex: "("}}], route: [{destination: {host: reviews}}]}', '.match[0].uri.regex', 'RE2 does not take this regex'],
    ['reviews', '', 'must be a mapping, found the text "reviews"'],
  ])('rule %s', (rule, below, message) => {
    for (const form of ['delegate', 'managed'] as const) {
      const [finding, ...others] = judged(form, rule);
      const path = `spec.route.${form}.http[1]${below}`;
      expect(others).toEqual([]);
      expect(finding).toMatch(/^PERCH1[123]0[0-9] /);
      expect(finding).toContain(` ${path}: `);
      expect(finding).toContain(message);
      expect(finding?.split(path)).toHaveLength(3);
    }
  });

  test('a rule of a delegate cannot delegate further; a rule of a whole VirtualService can', () => {
    const rule = '{match: [{uri: {prefix: /far}}], delegate: {name: far}}';
    expect(judged('delegate', rule)).toEqual([
      'PERCH1104 spec.route.delegate.http[1].delegate: spec.route.delegate.http[1].delegate: a delegate cannot delegate further | name the last VirtualService in the root',
    ]);
    expect(judged('managed', rule)).toEqual([]);
  });

  test('hosts and gateways too', () => {
    const redirect = '{redirect: {uri: /a}}';
    const hosts = (list: string) => findings(specWith({ route: `{managed: {hosts: ${list}, http: [${redirect}]}}` }));
    expect(hosts('["*"]')).toEqual([
      'PERCH1104 spec.route.managed.hosts[0]: spec.route.managed.hosts[0]: * cannot be bound to the mesh | name the gateway in gateways, without mesh, or name the hosts',
    ]);
    expect(hosts('[5]')).toEqual([
      'PERCH1203 spec.route.managed.hosts[0]: spec.route.managed.hosts[0] must be text, found a number (5) | correct the value',
    ]);
    expect(judged('managed', redirect, ', gateways: [a/b/c]')).toEqual([
      'PERCH1104 spec.route.managed.gateways[0]: spec.route.managed.gateways[0]: a gateway is NAME or NAMESPACE/NAME | correct the name',
    ]);
  });

  test('without hosts its rules are judged all the same, and not as those of a delegate', () => {
    const route = '{managed: {gateways: [edge], http: [{delegate: {name: far}}, {mtch: []}]}}';
    expect(findings(specWith({ route })).map((each) => each.split(':')[0])).toEqual([
      'PERCH1202 spec.route.managed.hosts',
      'PERCH1104 spec.route.managed.http[1]',
      'PERCH1101 spec.route.managed.http[1].mtch',
    ]);
  });

  test('each finding has its place in the text, and everything that is right is kept as it was written', () => {
    const text = `${IDENTITY}spec:
  service: {host: reviews, port: 9080}
  canary: {subset: v2}
  steps: [{weight: 100, hold: manual}]
  route:
    managed:
      hosts: [reviews]
      http:
      - route:
        - destination: {host: reviews}
        retries: {attempts: 0}
        timeout: 5 seconds
`;
    expect(validate(text).diagnostics.map(({ code, source, object }) => [code, source?.line, source?.column, object])).toEqual([
      ['PERCH1103', 15, 18, 'CanaryRelease default/reviews'],
    ]);
    const { release } = validate(text.replace('5 seconds', '5s'));
    expect(release?.spec.route).toEqual({
      managed: { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews' } }], retries: { attempts: 0 }, timeout: '5s' }] },
    });
  });
});
