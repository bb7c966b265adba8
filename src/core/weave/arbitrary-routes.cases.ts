import fc from 'fast-check';
import type { HTTPMatchRequest } from '../istio/resources.ts';
import { virtualService } from './fixtures.cases.ts';

/** Arbitrary users: what VirtualServices may say, known to Perch or not. */

const words = fc.constantFrom('a', 'b', 'text', '');
/** A field that no version of Istio knows, or that Perch does not interpret. */
const unknownValue = fc.oneof(
  words,
  fc.boolean(),
  fc.array(words, { maxLength: 2 }),
  fc.record({ nested: fc.array(fc.record({ deep: words })) }),
);
const uri = fc.oneof(
  fc.constantFrom({ prefix: '/' }, { prefix: '/a' }, { prefix: '/a/b' }, { prefix: '' }, { exact: '/a' }, { exact: '/a/b' }),
  fc.constantFrom({ regex: '/a.*' }, { regex: '.*' }),
);
const userHeader = fc.constantFrom({ exact: 'jason' }, { prefix: 'j' }, { regex: 'j.*n' }, {});
const matchBlock: fc.Arbitrary<HTTPMatchRequest> = fc.record(
  {
    name: words,
    uri,
    ignoreUriCase: fc.boolean(),
    method: fc.constantFrom({ exact: 'GET' }, { exact: 'POST' }),
    headers: fc.oneof(
      { weight: 5, arbitrary: fc.dictionary(fc.constantFrom('end-user', 'X-Tenant'), userHeader, { maxKeys: 2 }) },
      { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('Cookie', 'accept', ':path', 'baggage'), userHeader, { maxKeys: 1 }) },
    ),
    withoutHeaders: fc.dictionary(fc.constantFrom('end-user', 'cookie'), userHeader, { maxKeys: 1 }),
    queryParams: fc.dictionary(fc.constantFrom('q'), fc.constantFrom({ exact: '1' }), { maxKeys: 1 }),
    gateways: fc.constantFrom<string[][]>(['web'], ['mesh'], ['mesh', 'web'], []),
    sourceLabels: fc.constantFrom({ app: 'x' }),
    someFutureCondition: unknownValue,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<HTTPMatchRequest>;
/** No empty blocks: to Istio they say nothing, and un-weaving does not tell them from none. */
const operations = fc
  .record(
    { add: fc.constantFrom({ 'x-a': '1' }, { 'Cache-Control': 'no-store' }, { baggage: 't=1' }, { 'Set-Cookie': 'theirs=1' }) },
    { requiredKeys: [] },
  )
  .filter((each) => Object.keys(each).length > 0);
/** Header operations of a rule or a destination, some on the very headers that weaving adds. */
export const headers = fc.oneof(
  fc.record({ request: operations }),
  fc.record({ response: operations }),
  fc.record({ request: operations, response: operations }),
);
const destination = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom<object[]>(
      { host: 'web' },
      { host: 'web', subset: 'v1' },
      { subset: 'v0', host: 'web', someFutureField: { a: 1 } },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<object[]>({ host: 'web.default.svc.cluster.local', port: { number: 8080 } }, { host: 'web-old' }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<object[]>({ host: 'web', subset: 'v9' }, { host: 'other' }, { host: 'web', port: { number: 1 } }),
  },
);
const target = fc.record(
  { destination, weight: fc.integer({ min: 1, max: 100 }), headers, someFutureField: unknownValue },
  { requiredKeys: ['destination'] },
);
const rule: fc.Arbitrary<Record<string, unknown>> = fc
  .record(
    {
      match: fc.array(matchBlock, { maxLength: 3 }),
      timeout: fc.constant('5s'),
      rewrite: fc.constant({ uri: '/' }),
      retries: fc.constant({ attempts: 2 }),
      corsPolicy: fc.constant({ allowOrigins: [{ exact: 'https://a.test' }] }),
      mirror: fc.constant({ host: 'shadow' }),
      fault: fc.constant({ abort: { httpStatus: 503, percentage: { value: 1 } } }),
      headers,
      someFutureField: unknownValue,
      route: fc.oneof({ weight: 6, arbitrary: fc.tuple(target) }, { weight: 1, arbitrary: fc.tuple(target, target) }),
    },
    { requiredKeys: ['route'] },
  )
  .map((each) => each as Record<string, unknown>);
const otherRule = fc.constantFrom<Record<string, unknown>[]>(
  { match: [{ uri: { exact: '/away' } }], redirect: { uri: '/there' } },
  { match: [{ uri: { exact: '/gone' } }], directResponse: { status: 410 } },
  { match: [{ uri: { exact: '/far' } }], delegate: { name: 'far' } },
);
/** Rules carry their index as name, so that a woven rule tells where it comes from. */
export const http = fc
  .array(fc.oneof({ weight: 6, arbitrary: rule }, { weight: 1, arbitrary: otherRule }), { minLength: 1, maxLength: 4 })
  .map((rules) => rules.map((each, index) => ({ name: `rule ${index}`, ...each })));
const bindings = fc.constantFrom<string[][]>(['web'], ['web'], ['mesh', 'web']);
/** Bound to the gateway `web`, and some to the mesh too. */
export const virtualServices = fc
  .tuple(http, bindings, unknownValue)
  .map(([rules, gateways, someFutureField]) => virtualService(rules, { gateways, someFutureField, hosts: ['web.test'] }));
