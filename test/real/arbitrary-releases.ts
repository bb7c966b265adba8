import fc from 'fast-check';

/** Values that a field may well have, and, one time in `oneIn`, one that it may not; no null, which apiservers take for a field left out. */
function field(good: readonly unknown[], bad: readonly unknown[], oneIn = 250): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: oneIn - 1, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad, 7, 'no such thing', true, [], {}) },
  );
}

/** A mapping some of whose fields are left out, with an unknown one now and then. */
function mapping(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>, required: readonly string[] = []): fc.Arbitrary<unknown> {
  const known = fc.record(fields, { requiredKeys: [...required] });
  return fc.oneof(
    { weight: 60, arbitrary: known },
    { weight: 1, arbitrary: known.map((value) => ({ ...value, unknown: 1 })) },
    { weight: 1, arbitrary: fc.record(fields, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(5, 'text', []) },
  );
}

const names = field(['reviews', 'a', 'a-b.c'], ['A', '-a', 'a_b', '', 'a'.repeat(254)]);
const hosts = field(['reviews', 'web-v2', 'shop.example'], ['Reviews', '*', 'a b', '']);
const ports = field([80, 9080, 65_535], [0, 65_536, 1.5, '80']);
const flags = field([true, false], ['true', 1]);
const version = fc.oneof(
  { weight: 12, arbitrary: mapping({ subset: field(['v1', 'v2', 'v3'], ['V2', 'v2.1', '', 'v'.repeat(64)]) }, ['subset']) },
  { weight: 5, arbitrary: mapping({ host: hosts, port: ports }, ['host']) },
  { weight: 1, arbitrary: mapping({ subset: fc.constant('v2'), host: hosts, port: ports }) },
);

const holds = field(
  ['10m', '1h30m', 'manual', '90d', '1ms', '0.5s', '2160h'],
  ['0s', '90.1d', '91d', '10', '1x', '-1s', '0.4ms', '1h 30m', `${'1s'.repeat(17)}`],
);
const ages = field(['400d', '1h', '9600h', '1s', '1.5m', '1000ms'], ['401d', '0s', '1500ms', '1', '9600h1s', '0.5s']);
const headerValues = fc.oneof(
  { weight: 20, arbitrary: mapping({ exact: field(['qa', 'x'.repeat(256)], ['', 'x'.repeat(257)]) }, ['exact']) },
  { weight: 4, arbitrary: mapping({ prefix: field(['qa'], ['']) }, ['prefix']) },
  { weight: 8, arbitrary: mapping({ regex: field(['qa|dev', '[a-z]+', '(?i)x'], ['(', '(?=a)', '\\1', '['], 10) }, ['regex']) },
  { weight: 1, arbitrary: fc.constant({ exact: 'a', regex: 'b' }) },
);
const headers = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.dictionary(
      fc.oneof(
        { weight: 30, arbitrary: fc.constantFrom('x-team', 'x-region', 'user-agent') },
        { weight: 1, arbitrary: fc.constantFrom('cookie', 'accept', 'X-Team', 'x_team', '') },
      ),
      headerValues,
      { minKeys: 1, maxKeys: 3 },
    ),
  },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant(Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`x-${index}`, { exact: 'a' }]))) },
);
const pick = mapping({ match: fc.array(mapping({ headers }, ['headers']), { minLength: 1, maxLength: 2 }), hold: holds }, [
  'match',
  'hold',
]);
const drawn = (weight: number) =>
  mapping({ weight: field([weight, weight, weight], [0, -1, 100.1, 0.05, 33.33, '10']), hold: holds }, ['weight', 'hold']);
const ramp = fc
  .uniqueArray(fc.integer({ min: 1, max: 999 }), { maxLength: 3 })
  .map((tenths) => [...tenths.toSorted((a, b) => a - b).map((each) => each / 10), 100])
  .chain((weights) => fc.tuple(...weights.map(drawn)));
const steps = fc.oneof(
  { weight: 30, arbitrary: ramp },
  { weight: 10, arbitrary: fc.tuple(pick, ramp).map(([first, rest]) => [first, ...rest]) },
  { weight: 1, arbitrary: fc.tuple(ramp, pick).map(([first, last]) => [...first, last]) },
  { weight: 1, arbitrary: ramp.map((list) => list.toReversed()) },
  { weight: 1, arbitrary: ramp.map((list) => list.slice(0, -1)) },
  {
    weight: 1,
    arbitrary: ramp.map((list) => [...list.slice(0, -1), { weight: 100, hold: '1m', match: [{ headers: { 'x-a': { exact: 'a' } } }] }]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      [
        { weight: 50, hold: '1m' },
        { weight: 50, hold: '1m' },
        { weight: 100, hold: '1m' },
      ],
      {},
    ),
  },
);

const http = fc.constant([{ route: [{ destination: { host: 'reviews' } }] }]);
const route = fc.oneof(
  { weight: 20, arbitrary: mapping({ adopt: mapping({ virtualService: names }, ['virtualService']) }, ['adopt']) },
  { weight: 1, arbitrary: mapping({ adopt: mapping({ httpRoute: names }, ['httpRoute']) }, ['adopt']) },
  { weight: 5, arbitrary: mapping({ delegate: mapping({ name: names, http }, ['name', 'http']) }, ['delegate']) },
  {
    weight: 5,
    arbitrary: mapping(
      { managed: mapping({ name: names, hosts: fc.constant(['shop.example']), gateways: fc.constant(['edge']), http }, ['hosts', 'http']) },
      ['managed'],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      { adopt: { virtualService: 'a' }, managed: { hosts: ['b.test'], http: [{ route: [{ destination: { host: 'reviews' } }] }] } },
      { adopt: {} },
      { adopt: { virtualService: 'a', httpRoute: 'a' } },
      { adopt: { grpcRoute: 'a' } },
    ),
  },
);

const cookie = mapping({
  name: field(['perch', 'id', '__Host-perch', '__secure-p', 'my__Host-p'], ['a b', '', 'a'.repeat(15)]),
  maxAge: ages,
  path: field(['/', '/shop'], ['shop', '/a b', '']),
  domain: field(['shop.example', 'a.b.c'], ['shop', '.shop.example', 'Shop.example', 'a..b', '']),
  secure: flags,
  httpOnly: flags,
  sameSite: field(['Lax', 'Strict', 'None'], ['lax']),
  partitioned: flags,
});
const propagate = field(
  [['baggage', 'cookie'], ['cookie', 'requestId'], ['baggage'], ['baggage', 'cookie', 'requestId']],
  [['requestId'], ['baggage', 'requestId'], ['cookie', 'cookie'], ['Cookie'], [], ['baggage', 'cookie', 'requestId', 'cookie']],
);
const issueAtHttpRoute = mapping({ httpRoute: names }, ['httpRoute']);
const visitorId = mapping({
  issueAt: fc.oneof(
    { weight: 20, arbitrary: mapping({ virtualService: names }, ['virtualService']) },
    { weight: 1, arbitrary: issueAtHttpRoute },
    { weight: 1, arbitrary: fc.constantFrom<unknown>({}, { virtualService: 'a', httpRoute: 'a' }, { grpcRoute: 'a' }) },
  ),
  issueOn: field(['documents', 'all'], ['none']),
  propagate,
  cookie,
});
const byHeader = mapping(
  {
    from: mapping({ header: field(['x-tenant-id', 'x-user'], ['cookie', 'host', 'traceparent', 'X-Id', '']) }, ['header']),
    propagate,
    issueOn: field(['all'], ['none']),
  },
  ['from'],
);
const affinityCookie = mapping({
  name: field(['c', 'perch-web'], ['__Host-c', '__secure-c', '', 'a b', 'c'.repeat(33)]),
  value: field(['v2'], ['', 'a b']),
  maxAge: ages,
});

/** Each version is a host of its own. */
const hostVersion = (name: string) => mapping({ host: fc.constant(name), port: ports }, ['host']);
const base = { service: mapping({ host: hosts, port: ports }, ['host', 'port']), canary: version, stable: version, route, steps };
const common = {
  revision: field([0, 7, 'a1b2c3', 'x'.repeat(63)], [-1, 1.5, '', 'a b', 'x'.repeat(64)]),
  cache: field(['issuing', 'private'], ['all']),
  suspend: flags,
  scaling: mapping({
    beforeStep: field(['matchWeight'], ['always', '']),
    afterSuccess: mapping({ replicas: field([0, 3, 10_000], [-1, 10_001, 0.5]), delay: field(['10m', '1s', '30d'], ['0s', '31d', '10']) }),
  }),
  readiness: mapping({
    healthCheck: mapping({
      path: field(['/healthz', '/a?b'], ['healthz', '/a b', '']),
      interval: field(['1s', '100ms', '1m', '5s'], ['99ms', '61s', '1d']),
      timeout: field(['10ms', '500ms', '100ms'], ['9ms', '2m', '61s']),
      healthyThreshold: field([1, 10], [0, 11, 1.5]),
      unhealthyThreshold: field([1, 10], [0, 11]),
    }),
    capacity: field([1, 0.5, 1_000_000], [0, -1, 1_000_001]),
    grace: field(['30s', '1s', '1d'], ['999ms', '25h']),
    onCanaryUnavailable: field(['rollback', 'pause'], ['ignore']),
  }),
};
const required = ['service', 'canary', 'route', 'steps'];

/** Specs of releases: most are right, the others wrong in one or a few places, of all kinds. */
export const specs: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 12,
    arbitrary: mapping(
      {
        ...base,
        ...common,
        visitorId,
        cohort: field(['auto', 0, 3], [4, -1, 'Auto', '0']),
        optIn: mapping({ parameter: field(['perch', 'try'], ['a b', '', 'a'.repeat(15)]), maxAge: ages }),
        affinity: mapping({ mode: field(['visitor'], ['canaryOnly', 'Visitor']) }),
      },
      required,
    ),
  },
  { weight: 4, arbitrary: mapping({ ...base, ...common, visitorId: byHeader }, required) },
  {
    weight: 4,
    arbitrary: mapping(
      {
        ...base,
        ...common,
        canary: fc.oneof({ weight: 12, arbitrary: hostVersion('web-v2') }, { weight: 1, arbitrary: version }),
        stable: fc.oneof({ weight: 12, arbitrary: hostVersion('web-v1') }, { weight: 1, arbitrary: version }),
        route: mapping({ adopt: mapping({ httpRoute: names }, ['httpRoute']) }, ['adopt']),
        steps: fc.oneof({ weight: 12, arbitrary: ramp }, { weight: 1, arbitrary: steps }),
        visitorId: fc.oneof(
          { weight: 12, arbitrary: mapping({ issueOn: field(['documents', 'all'], []), cookie }) },
          { weight: 12, arbitrary: mapping({ issueAt: issueAtHttpRoute, propagate, cookie }, ['issueAt']) },
          { weight: 2, arbitrary: visitorId },
        ),
        affinity: mapping({ mode: field(['visitor'], ['canaryOnly'], 20) }),
      },
      [...required, 'visitorId'],
    ),
  },
  {
    weight: 4,
    arbitrary: mapping(
      {
        ...base,
        ...common,
        affinity: mapping({ mode: field(['canaryOnly'], ['visitor', 'none'], 10), cookie: affinityCookie }, ['mode']),
        cohort: field(['auto'], [0], 10),
        visitorId: mapping({
          issueAt: mapping({ virtualService: names }, ['virtualService']),
          propagate: field([['cookie'], ['baggage']], [['cookie', 'requestId']]),
        }),
      },
      [...required, 'affinity'],
    ),
  },
);
