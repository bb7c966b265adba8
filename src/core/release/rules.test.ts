import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseManifests } from '../source/manifests.ts';
import { ruleFindings } from './rules.ts';
import { validateCanaryRelease } from './validate.ts';
import { findings, specWith, validate } from './validation.cases.ts';

const PICK = '{match: [{headers: {x-team: {exact: qa}}}], hold: 1m}';

describe('the bounds of times', () => {
  const HINTS = {
    grace: 'meanwhile visitors on the canary get errors: 30s is usual',
    interval: 'a check is one connection to each endpoint: once in a second is usual',
    timeout: 'give an endpoint the time that it needs when it is busy',
  };
  const check = (times: string) => findings(specWith({ readiness: `{healthCheck: {${times}}}` }));
  const place = 'spec.readiness.healthCheck';

  test.each([
    ['{grace: 999ms}', `PERCH1208 spec.readiness.grace: spec.readiness.grace is 999ms, but must be from 1s to 1d | ${HINTS.grace}`],
    ['{grace: 24h1ms}', `PERCH1208 spec.readiness.grace: spec.readiness.grace is 24h1ms, but must be from 1s to 1d | ${HINTS.grace}`],
  ])('readiness: %s', (readiness, finding) => {
    expect(findings(specWith({ readiness }))).toEqual([finding]);
  });

  test.each([
    ['interval: 99ms', `PERCH1208 ${place}.interval: ${place}.interval is 99ms, but must be from 100ms to 1m | ${HINTS.interval}`],
    ['interval: 60001ms', `PERCH1208 ${place}.interval: ${place}.interval is 60001ms, but must be from 100ms to 1m | ${HINTS.interval}`],
    ['timeout: 9ms', `PERCH1208 ${place}.timeout: ${place}.timeout is 9ms, but must be from 10ms to 1m | ${HINTS.timeout}`],
    ['interval: 1m, timeout: 2m', `PERCH1208 ${place}.timeout: ${place}.timeout is 2m, but must be from 10ms to 1m | ${HINTS.timeout}`],
    [
      'interval: 200ms, timeout: 201ms',
      `PERCH1214 ${place}.timeout: ${place}.timeout is 201ms, longer than the interval of 200ms | use at most 200ms, or a longer interval`,
    ],
  ])('%s', (times, finding) => {
    expect(check(times)).toEqual([finding]);
  });

  test.each(['timeout: 10ms', 'interval: 5s', 'interval: 60s, timeout: 60s', 'interval: 150ms, timeout: 150ms'])('%s is fine', (times) => {
    expect(check(times)).toEqual([]);
  });

  test('a cookie’s age of 400 days and a hold of 90 are the longest; zero is none', () => {
    const cookie = (maxAge: string) => findings(specWith({ visitorId: `{cookie: {maxAge: ${maxAge}}}` }));
    expect(cookie('9600h')).toEqual([]);
    expect(cookie('9600h1s')).toHaveLength(1);
    expect(cookie('0s')).toEqual([
      'PERCH1208 spec.visitorId.cookie.maxAge: spec.visitorId.cookie.maxAge is zero | give it a length, such as 10s',
    ]);
    // Two mistakes in one value are two findings.
    expect(cookie('9600h1500ms').map((finding) => finding.split(':')[0])).toEqual(Array(2).fill('PERCH1208 spec.visitorId.cookie.maxAge'));
    expect(findings(specWith({ steps: '[{weight: 100, hold: 2160h1ms}]' }))).toHaveLength(1);
  });
});

describe('what the mode of affinity has no use for', () => {
  const canaryOnly = (changes: Readonly<Record<string, string>>) => findings(specWith({ affinity: '{mode: canaryOnly}', ...changes }));

  test('picks, choices and ids from a header', () => {
    const draws =
      'means nothing with affinity.mode canaryOnly: the article’s scheme knows draws only | leave it out, or use affinity.mode: visitor';
    expect(canaryOnly({ optIn: '{}' })).toEqual([`PERCH1213 spec.optIn: spec.optIn ${draws}`]);
    expect(canaryOnly({ steps: `[{weight: 0, hold: 1m}, ${PICK}, ${PICK}, {weight: 100, hold: 1m}]` }).slice(1)).toEqual([
      `PERCH1213 spec.steps[1].match: spec.steps[1].match ${draws}`,
      `PERCH1213 spec.steps[2].match: spec.steps[2].match ${draws}`,
    ]);
    expect(canaryOnly({ visitorId: '{from: {header: x-tenant-id}}' })).toEqual([
      'PERCH1213 spec.visitorId.from: spec.visitorId.from means nothing with affinity.mode canaryOnly: visitors have no id | leave it out, or use affinity.mode: visitor',
    ]);
  });

  test('a cookie of its own may have any name but those that browsers reserve for secure ones', () => {
    const named = (name: string) => canaryOnly({ affinity: `{mode: canaryOnly, cookie: {name: ${name}}}` });
    expect(named('__Secure-c')).toEqual([
      'PERCH1206 spec.affinity.cookie.name: browsers drop a cookie named __Secure-c that is not secure, and this one never is | use another name',
    ]);
    expect(named('my__host-c')).toEqual([]);
  });

  test('a mode that is misspelt is told alone: what goes with it is not known', () => {
    expect(findings(specWith({ affinity: '{mode: canaryonly, cookie: {}}', optIn: '{}' }))).toEqual([
      'PERCH1203 spec.affinity.mode: spec.affinity.mode must be visitor or canaryOnly, found the text "canaryonly" | did you mean canaryOnly?',
    ]);
  });
});

describe('ids from a header', () => {
  const from = (header: string, more = '') => findings(specWith({ visitorId: `{from: {header: ${header}}${more}}` }));

  test.each(['cookie', 'baggage', 'x-request-id', 'traceparent', 'host'])('not from %s', (header) => {
    expect(from(header)).toEqual([
      `PERCH1215 spec.visitorId.from.header: ${header} is no visitor’s: spec.visitorId.from.header has to name a header with a visitor’s own UUID | name a header such as x-tenant-id`,
    ]);
  });

  test('need no cookie, and request ids become none', () => {
    expect(from('x-tenant-id', ', cookie: {name: p}, propagate: [baggage, cookie, requestId]')).toEqual([
      'PERCH1215 spec.visitorId.cookie: spec.visitorId.cookie means nothing with visitorId.from.header: no id is issued | leave it out',
      'PERCH1215 spec.visitorId.propagate[2]: propagate: requestId means nothing with visitorId.from.header: no request id becomes an id | take it out of the list',
    ]);
  });
});

describe('steps', () => {
  const steps = (...list: readonly string[]) => findings(specWith({ steps: `[${list.join(', ')}]` }));

  test('may pick several times before they draw, in any header but those that Perch or Istio needs', () => {
    expect(steps(PICK, PICK, '{weight: 0, match: [{headers: {x-a: {prefix: q}}}], hold: 1m}', '{weight: 100, hold: 1m}')).toEqual([]);
    const regex = '{match: [{headers: {x-team: {regex: "qa|dev"}}}], hold: 1m}';
    expect(steps(regex, '{weight: 100, hold: 1m}')).toEqual([]);
  });

  test('each that does not increase is told, by the largest before it', () => {
    const [first, second, ...others] = steps(...[50, 10, 20, 100].map((weight) => `{weight: ${weight}, hold: 1m}`));
    expect(first).toMatch(/^PERCH1204 spec\.steps\[1\]\.weight: spec\.steps\[1\]\.weight is 10, but the step before has 50 /);
    expect(second).toMatch(/^PERCH1204 spec\.steps\[2\]\.weight: spec\.steps\[2\]\.weight is 20, but the step before has 50 /);
    expect(others).toEqual([]);
  });

  test('where a step is unreadable, the schema tells, and the others are still judged', () => {
    expect(
      steps('fast', '{weight: 20, hold: 0s}', '{weight: ten, hold: 1m}', '{weight: 100, hold: 1m}').map((each) => each.split(':')[0]),
    ).toEqual(['PERCH1203 spec.steps[0]', 'PERCH1208 spec.steps[1].hold', 'PERCH1203 spec.steps[2].weight']);
    expect(
      steps('{match: qa, hold: 1m}', '{match: [qa, {headers: x-team}], hold: 1m}', '{weight: 100, hold: 1m}').map(
        (each) => each.split(':')[0],
      ),
    ).toEqual(['PERCH1203 spec.steps[0].match', 'PERCH1203 spec.steps[1].match[0]', 'PERCH1203 spec.steps[1].match[1].headers']);
  });
});

describe('versions', () => {
  const pair = (canary: string, stable: string) => findings(specWith({ canary, stable })).map((each) => each.split(' ')[0]);

  test('are the same by what they stand for, not by how they are written', () => {
    expect(pair('{host: reviews}', '{host: reviews.default.svc.cluster.local, port: 9080}')).toEqual(['PERCH1207']);
    expect(pair('{host: reviews}', '{host: reviews, port: 9081}')).toEqual([]);
    expect(pair('{host: reviews}', '{host: reviews.shop}')).toEqual([]);
    expect(pair('{subset: reviews}', '{host: reviews}')).toEqual([]);
    expect(pair('{subset: v2, host: reviews}', '{subset: v2, host: reviews}')).toEqual(['PERCH1203', 'PERCH1203']);
  });
});

test('values and names that look like something else get a remedy of their own', () => {
  const hint = (changes: Readonly<Record<string, string>>) => findings(specWith(changes)).map((each) => each.split(' | ')[1]);
  expect(hint({ visitorId: '{cookie: {httpOnly: "Off"}}' })).toEqual(['write false, without quotes']);
  expect(hint({ visitorId: '{cookie: {httpOnly: "on"}}' })).toEqual(['write true, without quotes']);
  expect(hint({ visitorId: '{cookie: {httpOnly: "maybe"}}' })).toEqual(['correct the value']);
  expect(hint({ service: '{host: reviews, port: " 80.5 "}' })).toEqual(['write 80.5, a number without quotes or %']);
  expect(hint({ service: '{host: reviews, port: http-80}' })).toEqual(['correct the value']);
  expect(hint({ visitorId: '{cookie: {maxAge: 60}}' })).toEqual(['add a unit: 60s or 60m']);
  const http = '[{route: [{destination: {host: reviews}}]}]';
  const all = `{adopt: {virtualService: a}, delegate: {name: b, http: ${http}}, managed: {hosts: [c], http: ${http}}}`;
  expect(hint({ route: all })).toEqual(['keep one of the three']);
  expect(hint({ route: `{delegate: {name: b, hosts: [c], http: ${http}}}` })).toEqual([
    'a delegate has no hosts: the root VirtualService that names it has; or use route.managed',
  ]);
});

test('names, and fields beside spec', () => {
  // A file with such a namespace is refused before; an object that comes through the API is not.
  const { object } = parseManifests(specWith(), 'release.yaml').objects[0] ?? expect.fail('no release');
  const elsewhere = (namespace: string) => validateCanaryRelease({ ...object, metadata: { ...object.metadata, namespace } }).diagnostics;
  expect(elsewhere('shop')).toEqual([]);
  expect(elsewhere('Shop')).toEqual([
    {
      code: 'PERCH1211',
      severity: 'error',
      object: 'CanaryRelease Shop/reviews',
      path: 'metadata.namespace',
      message: 'metadata.namespace must be lower-case letters, digits and hyphens, at most 63, found "Shop"',
      hint: 'correct the namespace',
    },
  ]);
  const named = (metadata: string) => findings(specWith().replace('{name: reviews}', metadata));
  expect(named(`{name: ${'r'.repeat(63)}}`)).toEqual([]);
  for (const name of ['-r', 'r-', 'r'.repeat(64)]) expect(named(`{name: ${name}}`)).toHaveLength(1);
  expect(findings(`${specWith()}statsu: {}\n`)).toEqual(['PERCH1201 statsu: there is no field statsu | did you mean status?']);
  expect(validate(`${specWith()}status: {}\n`).release).toMatchObject({ metadata: { name: 'reviews', namespace: 'default' } });
});

test('whatever stands in a spec, the rules judge what is readable and break at nothing', () => {
  const field = fc.constantFrom(
    'steps',
    'weight',
    'hold',
    'match',
    'headers',
    'visitorId',
    'cookie',
    'from',
    'propagate',
    'affinity',
    'mode',
  );
  const leaf = fc.constantFrom<unknown>(null, 0, 101, 'manual', '0s', 'canaryOnly', 'requestId', [], {}, true);
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(field, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (spec) => {
      for (const { path, message } of ruleFindings(spec, 'default'))
        expect([path[0], message]).toEqual(['spec', expect.stringMatching(/./)]);
    }),
    { seed: 12, numRuns: 200 },
  );
});
