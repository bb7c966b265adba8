import { describe, expect, test } from 'vitest';
import { findings, IDENTITY, specWith, validate } from './validation.cases.ts';

describe('one mistake, one finding, with its remedy', () => {
  test.each<[Record<string, string>, string]>([
    [
      { service: '{host: reviews, port: "9080"}' },
      'PERCH1203 spec.service.port: spec.service.port must be a port number, 1 to 65535, found the text "9080" | write 9080, a number without quotes or %',
    ],
    [
      { service: '{host: reviews}' },
      'PERCH1202 spec.service.port: spec.service.port is missing | add spec.service.port: a port number, 1 to 65535',
    ],
    [
      { service: '{host: Reviews, port: 1}' },
      'PERCH1203 spec.service.host: spec.service.host must be a host name as in an Istio destination, found the text "Reviews" | correct the value',
    ],
    [{ service: '' }, 'PERCH1202 spec.service: spec.service is missing | add spec.service: a mapping'],
    [
      { canary: '{subset: v2, host: x}' },
      'PERCH1203 spec.canary: spec.canary must be a mapping with subset, or with host, found subset and host together | keep one of the two',
    ],
    [
      { canary: '{}' },
      'PERCH1203 spec.canary: spec.canary must be a mapping with subset, or with host, found an empty mapping | add the fields of one of them',
    ],
    [
      { canary: 'v2' },
      'PERCH1203 spec.canary: spec.canary must be a mapping with subset, or with host, found the text "v2" | correct the value',
    ],
    [{ canary: '{subst: v2}' }, 'PERCH1201 spec.canary.subst: there is no field spec.canary.subst | did you mean subset?'],
    [
      { canary: '{port: 80}' },
      'PERCH1202 spec.canary.host: spec.canary.host is missing | add spec.canary.host: a host name as in an Istio destination',
    ],
    [
      { canary: '{subset: 2}' },
      'PERCH1203 spec.canary.subset: spec.canary.subset must be a subset name: lower-case letters, digits and hyphens, at most 63, found a number (2) | correct the value',
    ],
    [
      { canary: '{subset: v1}' },
      'PERCH1207 spec.canary: spec.canary and spec.stable name the same version | name the new version in canary and the one before in stable',
    ],
    [
      { canary: '{host: reviews-v2}', stable: '{host: reviews-v2.default.svc.cluster.local, port: 9080}' },
      'PERCH1207 spec.canary: spec.canary and spec.stable name the same version | name the new version in canary and the one before in stable',
    ],
    [
      { revision: '-1' },
      'PERCH1203 spec.revision: spec.revision must be a whole number from 0, or a text of 1 to 63 visible ASCII characters, found a number (-1) | correct the value',
    ],
    [
      { revision: '1.5' },
      'PERCH1203 spec.revision: spec.revision must be a whole number from 0, or a text of 1 to 63 visible ASCII characters, found a number (1.5) | correct the value',
    ],
    [{ cohort: '4' }, 'PERCH1203 spec.cohort: spec.cohort must be auto, or a whole number 0 to 3, found a number (4) | correct the value'],
    [{ cache: 'isuing' }, 'PERCH1203 spec.cache: spec.cache must be issuing or private, found the text "isuing" | did you mean issuing?'],
    [{ cache: '~' }, 'PERCH1203 spec.cache: spec.cache must be issuing or private, found nothing | give it a value, or remove the line'],
    [{ steps: '', stpes: '[]' }, 'PERCH1201 spec.stpes: there is no field spec.stpes | did you mean steps?'],
    [
      { analyses: '{}' },
      'PERCH1201 spec.analyses: there is no field spec.analyses | known here: service, canary, stable, revision, route, visitorId, affinity, cohort, cache, optIn, suspend, readiness, scaling, steps',
    ],
    [{ steps: '[]' }, 'PERCH1203 spec.steps: spec.steps must be a list with at least one step, found a list | correct the value'],
    [
      { steps: '[{weight: "100%", hold: 1m}]' },
      'PERCH1203 spec.steps[0].weight: spec.steps[0].weight must be a number over 0 and up to 100, in steps of 0.1, found the text "100%" | write 100, a number without quotes or %',
    ],
    [
      { steps: '[{weight: 0.15, hold: 1m}, {weight: 100, hold: 1m}]' },
      'PERCH1203 spec.steps[0].weight: spec.steps[0].weight must be a number over 0 and up to 100, in steps of 0.1, found a number (0.15) | correct the value',
    ],
    [
      { steps: '[{weight: 100, hold: 10}]' },
      'PERCH1203 spec.steps[0].hold: spec.steps[0].hold must be a duration such as 30s, 10m or 1h30m, or manual, found a number (10) | add a unit: 10s or 10m',
    ],
    [
      { steps: '[{weight: 100}]' },
      'PERCH1202 spec.steps[0].hold: spec.steps[0].hold is missing | add spec.steps[0].hold: a duration such as 30s, 10m or 1h30m, or manual',
    ],
    [{ steps: '[{weight: 100, hold: 0s}]' }, 'PERCH1208 spec.steps[0].hold: spec.steps[0].hold is zero | give it a length, such as 10s'],
    [
      { steps: '[{weight: 100, hold: 91d}]' },
      'PERCH1208 spec.steps[0].hold: spec.steps[0].hold is 91d, longer than 90d | use hold: manual for longer waits',
    ],
    [
      { steps: '[{weight: 10, hold: 1m}]' },
      'PERCH1204 spec.steps[0].weight: the last step has weight 10: a release ends at 100 | add a step such as {weight: 100, hold: 10m}',
    ],
    [
      { steps: '[{hold: 1m}, {weight: 100, hold: 1m}]' },
      'PERCH1202 spec.steps[0].weight: spec.steps[0].weight is missing | add spec.steps[0].weight: a number over 0 and up to 100, in steps of 0.1; or spec.steps[0].match',
    ],
    [
      { steps: '[{weight: 0, hold: 1m}, {weight: 100, hold: 1m}]' },
      'PERCH1204 spec.steps[0].weight: spec.steps[0].weight is 0, and the step has no match: it would do nothing | give it a weight over 0, or a match',
    ],
    [
      { steps: '[{weight: 10, hold: 1m, match: [{headers: {x-team: {exact: qa}}}]}, {weight: 100, hold: 1m}]' },
      'PERCH1204 spec.steps[0].match: spec.steps[0] has a weight and a match: a step either draws or picks | put the match into a step of its own, before the weights; it stays in force with them',
    ],
    [
      { steps: '[{weight: 10, hold: 1m}, {hold: 1m, match: [{headers: {x-team: {exact: qa}}}]}, {weight: 100, hold: 1m}]' },
      'PERCH1204 spec.steps[1].match: spec.steps[1] picks visitors after a step that draws some | put the steps with match before those with weights',
    ],
    [
      { steps: '[{hold: 1m, match: [{headers: {x-team: {exact: qa}}}]}]' },
      'PERCH1204 spec.steps[0].match: the last step picks visitors: a release ends at 100 | add a step such as {weight: 100, hold: 10m}',
    ],
    [
      { steps: '[{hold: 1m, match: [{headers: {}}]}, {weight: 100, hold: 1m}]' },
      'PERCH1203 spec.steps[0].match[0].headers: spec.steps[0].match[0].headers names no header: it would pick everyone | name a header, such as x-team: {exact: qa}',
    ],
    [
      { steps: '[{hold: 1m, match: [{headers: {cookie: {exact: qa}}}]}, {weight: 100, hold: 1m}]' },
      'PERCH1203 spec.steps[0].match[0].headers.cookie: cookie cannot pick visitors: by it they are known or their requests told | use another header; to pick by a cookie, use optIn',
    ],
    [
      { steps: '[{hold: 1m, match: [{headers: {x-team: {regex: "("}}}]}, {weight: 100, hold: 1m}]' },
      'PERCH1203 spec.steps[0].match[0].headers.x-team.regex: RE2 does not take this regex: missing closing ): `(` | correct the regex',
    ],
    [
      { optIn: '{maxAge: 401d}' },
      'PERCH1208 spec.optIn.maxAge: spec.optIn.maxAge is 401d, longer than 400d | use at most 400d: browsers keep no cookie longer',
    ],
    [
      { visitorId: '{from: {header: x-tenant-id}, issueOn: all}' },
      'PERCH1215 spec.visitorId.issueOn: spec.visitorId.issueOn means nothing with visitorId.from.header: no id is issued | leave it out',
    ],
    [
      { visitorId: '{from: {header: traceparent}}' },
      'PERCH1215 spec.visitorId.from.header: traceparent is no visitor’s: spec.visitorId.from.header has to name a header with a visitor’s own UUID | name a header such as x-tenant-id',
    ],
    [
      { visitorId: '{from: {header: X-Tenant}}' },
      'PERCH1203 spec.visitorId.from.header: spec.visitorId.from.header must be a header name in lower case: letters, digits and hyphens, at most 64, found the text "X-Tenant" | correct the value',
    ],
    [
      { steps: '[{weight: 20, hold: 1m}, {weight: 20, hold: 1m}, {weight: 100, hold: 1m}]' },
      'PERCH1204 spec.steps[1].weight: spec.steps[1].weight is 20, but the step before has 20 | order the steps so that weights increase',
    ],
    [
      { visitorId: '{cookie: {secure: yes}}' },
      'PERCH1203 spec.visitorId.cookie.secure: spec.visitorId.cookie.secure must be true or false, found the text "yes" | write true, without quotes',
    ],
    [
      { visitorId: '{cookie: {sameSite: None}}' },
      'PERCH1206 spec.visitorId.cookie.sameSite: browsers drop a cookie with sameSite None that is not secure | add secure: true, or use sameSite: Lax',
    ],
    [
      { visitorId: '{cookie: {name: __Host-p, path: /a}}' },
      'PERCH1206 spec.visitorId.cookie.path: browsers drop a cookie named __Host-p whose path is not / | use path: /, or another name',
    ],
    [
      { visitorId: '{cookie: {name: __secure-p, secure: false}}' },
      'PERCH1206 spec.visitorId.cookie.secure: browsers drop a cookie named __secure-p that is not secure | use secure: true, or another name',
    ],
    [
      { visitorId: '{cookie: {partitioned: true, secure: false}}' },
      'PERCH1206 spec.visitorId.cookie.secure: browsers drop a partitioned cookie that is not secure | use secure: true, or take partitioned out',
    ],
    [
      { visitorId: '{cookie: {name: __Host-p, secure: true, domain: shop.example}}' },
      'PERCH1206 spec.visitorId.cookie.domain: browsers drop a cookie named __Host-p that has a domain | take domain out, or use another name',
    ],
    [
      { visitorId: '{cookie: {domain: example}}' },
      'PERCH1206 spec.visitorId.cookie.domain: browsers drop a cookie with the domain example: a name without a dot is nobody’s own | name a domain such as shop.example, or take domain out',
    ],
    [
      { visitorId: '{cookie: {domain: .shop.example}}' },
      'PERCH1203 spec.visitorId.cookie.domain: spec.visitorId.cookie.domain must be a host name such as shop.example, without a leading dot, found the text ".shop.example" | correct the value',
    ],
    [
      { visitorId: '{cookie: {maxAge: 401d}}' },
      'PERCH1208 spec.visitorId.cookie.maxAge: spec.visitorId.cookie.maxAge is 401d, longer than 400d | use at most 400d: browsers keep no cookie longer',
    ],
    [
      { visitorId: '{cookie: {maxAge: 1500ms}}' },
      'PERCH1208 spec.visitorId.cookie.maxAge: spec.visitorId.cookie.maxAge is 1500ms, but cookies count whole seconds | round it to seconds',
    ],
    [
      { visitorId: '{propagate: [requestId]}' },
      'PERCH1209 spec.visitorId.propagate: propagate: requestId without cookie would draw returning visitors anew: their request id is fresh each time | add cookie to the list, or take requestId out',
    ],
    [
      { visitorId: '{propagate: [cookie, requestId, cookie]}' },
      'PERCH1203 spec.visitorId.propagate[2]: cookie stands twice in spec.visitorId.propagate | keep one',
    ],
    [
      { visitorId: '{propagate: [requestId, cookies]}' },
      'PERCH1203 spec.visitorId.propagate[1]: spec.visitorId.propagate[1] must be baggage or cookie or requestId, found the text "cookies" | did you mean cookie?',
    ],
    [
      { route: '{adopt: {grpcRoute: x}}' },
      'PERCH1210 spec.route.adopt.grpcRoute: spec.route.adopt.grpcRoute is not supported yet | adopt an HTTPRoute or a VirtualService: gRPC is HTTP, and clients that keep no cookies need visitorId.from',
    ],
    [
      { readiness: '{healthCheck: {interval: 50ms}}' },
      'PERCH1208 spec.readiness.healthCheck.interval: spec.readiness.healthCheck.interval is 50ms, but must be from 100ms to 1m | a check is one connection to each endpoint: once in a second is usual',
    ],
    [
      { readiness: '{healthCheck: {timeout: 2s}}' },
      'PERCH1214 spec.readiness.healthCheck.timeout: spec.readiness.healthCheck.timeout is 2s, longer than the interval of 1s | use at most 1s, or a longer interval',
    ],
    [
      { readiness: '{healthCheck: {path: healthz}}' },
      'PERCH1203 spec.readiness.healthCheck.path: spec.readiness.healthCheck.path must be a path that begins with /, of visible ASCII characters without #, at most 1024, found the text "healthz" | correct the value',
    ],
    [
      { readiness: '{healthCheck: {unhealthyThreshold: 0}}' },
      'PERCH1203 spec.readiness.healthCheck.unhealthyThreshold: spec.readiness.healthCheck.unhealthyThreshold must be a whole number from 1 to 10, found a number (0) | correct the value',
    ],
    [
      { readiness: '{capacity: 0}' },
      'PERCH1203 spec.readiness.capacity: spec.readiness.capacity must be a number over 0 and up to 1000000, in requests per second, found a number (0) | correct the value',
    ],
    [
      { scaling: '{}' },
      'PERCH1203 spec.scaling: spec.scaling is empty: nothing would be scaled | add beforeStep or afterSuccess, or leave it out',
    ],
    [
      { scaling: '{afterSuccess: {delay: 31d}}' },
      'PERCH1208 spec.scaling.afterSuccess.delay: spec.scaling.afterSuccess.delay is 31d, longer than 30d | use at most 30d, or scale it down yourself',
    ],
    [
      { scaling: '{beforeStep: always}' },
      'PERCH1203 spec.scaling.beforeStep: spec.scaling.beforeStep must be matchWeight, found the text "always" | choose one of them',
    ],
    [
      { readiness: '{grace: 2d}' },
      'PERCH1208 spec.readiness.grace: spec.readiness.grace is 2d, but must be from 1s to 1d | meanwhile visitors on the canary get errors: 30s is usual',
    ],
    [
      { readiness: '{onCanaryUnavailable: stop}' },
      'PERCH1203 spec.readiness.onCanaryUnavailable: spec.readiness.onCanaryUnavailable must be rollback or pause, found the text "stop" | choose one of them',
    ],
    [
      { readiness: '{healthcheck: {path: /}}' },
      'PERCH1201 spec.readiness.healthcheck: there is no field spec.readiness.healthcheck | did you mean healthCheck?',
    ],
    [
      { analysis: '{source: gateway}' },
      'PERCH1210 spec.analysis: spec.analysis is not supported yet | leave it out: watch the release, and pause or roll back by request',
    ],
  ])('%j', (changes, finding) => {
    const text = specWith(changes);
    expect(findings(text)).toEqual([finding]);
    expect(validate(text).release).toBeUndefined();
  });

  test.each<[route: string, ...findings: string[]]>([
    ['', 'PERCH1202 spec.route: spec.route is missing | add spec.route: a mapping with exactly one of adopt, delegate, managed'],
    [
      '{}',
      'PERCH1203 spec.route: spec.route must be a mapping with exactly one of adopt, delegate, managed, found an empty mapping | add the fields of one of them',
    ],
    [
      'reviews',
      'PERCH1203 spec.route: spec.route must be a mapping with exactly one of adopt, delegate, managed, found the text "reviews" | correct the value',
    ],
    [
      '{adopt: {virtualService: reviews}, managed: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}}',
      'PERCH1203 spec.route: spec.route must be a mapping with exactly one of adopt, delegate, managed, found adopt and managed together | keep one of the two',
    ],
    [
      '{adopt: {virtualService: reviews}, managed: {hosts: [reviews]}, mode: fast}',
      'PERCH1203 spec.route: spec.route has adopt and managed together | keep one of the two',
      'PERCH1201 spec.route.mode: there is no field spec.route.mode | known here: adopt, delegate, managed',
    ],
    ['{manged: {}}', 'PERCH1201 spec.route.manged: there is no field spec.route.manged | did you mean managed?'],
    [
      '{virtualService: reviews}',
      'PERCH1201 spec.route.virtualService: there is no field spec.route.virtualService | known here: adopt, delegate, managed',
    ],
    [
      '{adopt: {virtualService: reviews}, mode: fast}',
      'PERCH1201 spec.route.mode: there is no field spec.route.mode | known here: adopt, delegate, managed',
    ],
    [
      '{adopt: {}}',
      'PERCH1203 spec.route.adopt: spec.route.adopt must be a mapping with virtualService, or with httpRoute, found an empty mapping | add the fields of one of them',
    ],
    [
      '{managed: {}}',
      'PERCH1202 spec.route.managed.hosts: spec.route.managed.hosts is missing | add spec.route.managed.hosts: a list of hosts',
      'PERCH1202 spec.route.managed.http: spec.route.managed.http is missing | add spec.route.managed.http: a list of HTTP rules',
    ],
    [
      '{delegate: {name: x, http: []}}',
      'PERCH1203 spec.route.delegate.http: spec.route.delegate.http must be a list with at least one HTTP rule, found a list | correct the value',
    ],
    [
      '{delegate: {name: x, gateways: [edge], http: [{route: [{destination: {host: reviews}}]}]}}',
      'PERCH1201 spec.route.delegate.gateways: there is no field spec.route.delegate.gateways | a delegate has no gateways: the root VirtualService that names it has; or use route.managed',
    ],
  ])('route: %s', (route, ...expected) => {
    expect(findings(specWith({ route }))).toEqual(expected);
  });

  test.each([
    [
      { affinity: '{mode: sticky}' },
      'PERCH1203 spec.affinity.mode: spec.affinity.mode must be visitor or canaryOnly, found the text "sticky" | choose one of them',
    ],
    [
      { affinity: '{cookie: {name: reviews-cookie}}' },
      'PERCH1213 spec.affinity.cookie: spec.affinity.cookie means nothing with affinity.mode visitor | leave it out: the visitor id’s cookie is visitorId.cookie',
    ],
    [
      { affinity: '{mode: canaryOnly, cookie: {value: "REVIRES;V2"}}' },
      'PERCH1203 spec.affinity.cookie.value: spec.affinity.cookie.value must be 1 to 32 letters, digits, _ or -, found the text "REVIRES;V2" | correct the value',
    ],
    [
      { affinity: `{mode: canaryOnly, cookie: {name: ${'n'.repeat(33)}}}` },
      `PERCH1203 spec.affinity.cookie.name: spec.affinity.cookie.name must be 1 to 32 letters, digits, _ or -, found the text "${'n'.repeat(33)}" | correct the value`,
    ],
    [
      { affinity: '{mode: canaryOnly, cookie: {name: __host-reviews}}' },
      'PERCH1206 spec.affinity.cookie.name: browsers drop a cookie named __host-reviews that is not secure, and this one never is | use another name',
    ],
    [
      { affinity: '{mode: canaryOnly, cookie: {maxAge: 1500ms}}' },
      'PERCH1208 spec.affinity.cookie.maxAge: spec.affinity.cookie.maxAge is 1500ms, but cookies count whole seconds | round it to seconds',
    ],
    [
      { affinity: '{mode: canaryOnly, cookie: {maxAge: 401d}}' },
      'PERCH1208 spec.affinity.cookie.maxAge: spec.affinity.cookie.maxAge is 401d, longer than 400d | use at most 400d: browsers keep no cookie longer',
    ],
    [
      { affinity: '{mode: canaryOnly}', visitorId: '{cookie: {name: mine}}' },
      'PERCH1213 spec.visitorId.cookie: spec.visitorId.cookie means nothing with affinity.mode canaryOnly: visitors get no id | leave it out: affinity.cookie is the cookie of those on the canary',
    ],
    [
      { affinity: '{mode: canaryOnly}', visitorId: '{issueOn: all}' },
      'PERCH1213 spec.visitorId.issueOn: spec.visitorId.issueOn means nothing with affinity.mode canaryOnly: visitors get no id | leave it out: at the edge every request without the cookie is drawn, for an internal service every page',
    ],
    [
      { affinity: '{mode: canaryOnly}', cohort: '2' },
      'PERCH1213 spec.cohort: spec.cohort means nothing with affinity.mode canaryOnly: each draw is a draw of its own | leave it out, or use affinity.mode: visitor',
    ],
    [
      { affinity: '{mode: canaryOnly}', visitorId: '{propagate: [cookie, requestId]}' },
      'PERCH1213 spec.visitorId.propagate[1]: spec.visitorId.propagate[1] means nothing with affinity.mode canaryOnly: a request id tells nothing about the draw | take requestId out of the list',
    ],
  ])('affinity: %j', (changes, finding) => {
    expect(findings(specWith(changes))).toEqual([finding]);
  });

  test('canaryOnly keeps where visitors are drawn, and how internal hops learn of it', () => {
    const text = specWith({
      affinity: '{mode: canaryOnly, cookie: {name: reviews-cookie, value: REVIRES-V2}}',
      visitorId: '{issueAt: {virtualService: bookinfo}, propagate: [baggage]}',
      cohort: 'auto',
    });
    expect(findings(text)).toEqual([]);
    expect(validate(text).release?.spec.affinity).toEqual({
      mode: 'canaryOnly',
      cookie: { name: 'reviews-cookie', value: 'REVIRES-V2', maxAge: '6h' },
    });
    expect(validate(specWith()).release?.spec.affinity).toEqual({ mode: 'visitor' });
  });

  test.each([
    [
      'perch.dev/v1',
      'reviews',
      'PERCH1212 apiVersion: apiVersion perch.dev/v1 is not known for CanaryRelease | write apiVersion: perch.dev/v1alpha1',
    ],
    [
      'perch.dev/v1alpha1',
      'Reviews.v2',
      'PERCH1211 metadata.name: metadata.name must be lower-case letters, digits and hyphens, at most 63, found "Reviews.v2" | choose such a name, often the service’s',
    ],
  ])('%s %s', (apiVersion, name, finding) => {
    expect(findings(specWith().replace('perch.dev/v1alpha1', apiVersion).replace('name: reviews', `name: ${name}`))).toEqual([finding]);
  });

  test('without a spec that is all there is to say', () => {
    expect(findings(IDENTITY)).toEqual(['PERCH1202 spec: spec is missing | add spec: a mapping']);
  });

  test('fields beside spec are looked at too', () => {
    expect(findings(`${specWith()}steps: []\n`)).toEqual([
      'PERCH1201 steps: there is no field steps | fields of the release belong below spec',
    ]);
  });
});
