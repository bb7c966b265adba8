import { expect, test } from 'vitest';
import type { HTTPMatchRequest } from '../istio/resources.ts';
import { isWiderMatch } from './wider-match.ts';

type Pair = readonly [wider: HTTPMatchRequest, narrower: HTTPMatchRequest];
const HEADERS = { 'x-a': { exact: '1' } };

test.each<Pair>([
  [{}, { uri: { regex: '/a.*' }, method: { exact: 'GET' } }],
  [{ uri: { prefix: '/' } }, {}],
  [{ uri: { prefix: '' } }, { uri: { regex: '.+' } }],
  [{ uri: { regex: '.*' } }, { uri: { prefix: '/a' }, ignoreUriCase: true }],
  [{ uri: { prefix: '/a' } }, { uri: { prefix: '/a' } }],
  [{ uri: { prefix: '/a' } }, { uri: { prefix: '/ab' } }],
  [{ uri: { prefix: '/a' } }, { uri: { exact: '/a/b' } }],
  [{ uri: { prefix: '/A' }, ignoreUriCase: true }, { uri: { prefix: '/a/b' } }],
  [
    { uri: { exact: '/A' }, ignoreUriCase: true },
    { uri: { exact: '/a' }, ignoreUriCase: true },
  ],
  [{ uri: { exact: '/a' } }, { uri: { exact: '/a' }, headers: HEADERS }],
  [{ uri: { regex: '/a|/b' } }, { uri: { regex: '/a|/b' } }],
  [{ headers: HEADERS }, { uri: { prefix: '/a' }, headers: { ...HEADERS, 'x-b': {} } }],
  [
    { method: { exact: 'GET' }, withoutHeaders: HEADERS },
    { method: { exact: 'GET' }, withoutHeaders: HEADERS },
  ],
  [{ name: 'a', headers: {}, queryParams: {} }, { name: 'b' }],
])('%j takes everything that %j does', (wider, narrower) => {
  expect(isWiderMatch(wider, narrower)).toBe(true);
});

test.each<Pair>([
  [{ uri: { prefix: '/a' } }, {}],
  [{ uri: { prefix: '/a' } }, { uri: { prefix: '/' } }],
  [{ uri: { prefix: '/a/' } }, { uri: { prefix: '/a' } }],
  [{ uri: { exact: '/a' } }, { uri: { prefix: '/a' } }],
  [{ uri: { exact: '/a' } }, { uri: { exact: '/ab' } }],
  [{ uri: { prefix: '/a' } }, { uri: { prefix: '/a' }, ignoreUriCase: true }],
  [{ uri: { prefix: '/a' } }, { uri: { prefix: '/A' } }],
  // Perhaps it does: regexes are not looked into.
  [{ uri: { prefix: '/a' } }, { uri: { regex: '/a.*' } }],
  [{ uri: { regex: '/a.*' } }, { uri: { prefix: '/a' } }],
  [{ method: { exact: 'GET' } }, {}],
  [{ authority: { exact: 'a.test' } }, { authority: { exact: 'b.test' } }],
  [{ headers: HEADERS }, { headers: { 'x-a': {} } }],
  [{ queryParams: { q: {} } }, { queryParams: { Q: {} } }],
  [{ someFutureCondition: true } as HTTPMatchRequest, {}],
])('%j may leave something of what %j takes', (wider, narrower) => {
  expect(isWiderMatch(wider, narrower)).toBe(false);
});
