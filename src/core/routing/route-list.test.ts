import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HTTPMatchRequest } from '../istio/resources.ts';
import type { CompiledRoute } from './compile-route.ts';
import { ConditionPool } from './conditions.ts';
import { RouteList } from './route-list.ts';
import { RoutedRequest } from './routed-request.ts';

function requestTo(path: string): RoutedRequest {
  return new RoutedRequest({ method: 'GET', path, authority: 'h', scheme: 'http', lines: () => [] });
}

/** Letters and slashes only, so that prefixes of prefixes are common. */
const paths = fc.stringMatching(/^\/[ab/]{0,5}$/);

const blocks: fc.Arbitrary<readonly [pathStart: string, match: HTTPMatchRequest]> = fc.oneof(
  paths.map((text) => [text === '/' ? '' : text, { uri: { prefix: text } }] as const),
  paths.map((text) => [text === '/' ? '' : text, { uri: { exact: text } }] as const),
  paths.map((text) => ['', { uri: { prefix: text.toUpperCase() }, ignoreUriCase: true }] as const),
  paths.map((text) => ['', { uri: { regex: `${text}.*b` } }] as const),
  // Of two rules with the same path the first decides, unless something else about it does not hold.
  paths.map((text) => [text === '/' ? '' : text, { uri: { prefix: text }, method: { exact: 'POST' } }] as const),
  fc.constant(['', {}] as const),
);

const ORIGIN = { object: undefined, place: 0, block: 0, rule: {}, draws: [] } as const;

describe('RouteList', () => {
  test('finds the very route that looking at one after the other finds, for any rules and path', () => {
    fc.assert(
      fc.property(fc.array(blocks, { maxLength: 12 }), fc.array(paths, { minLength: 1, maxLength: 6 }), (written, requested) => {
        const pool = new ConditionPool();
        const routes: readonly CompiledRoute[] = written.map(([pathStart, match]) => ({
          conditions: pool.conditionsOf(match),
          pathStart,
          isCatchAll: false,
          answer: () => ({ kind: 'none' }),
          origin: ORIGIN,
        }));
        const list = new RouteList(routes);
        for (const path of requested) {
          const request = requestTo(path);
          const expected = routes.findIndex(({ conditions }) => conditions.every((condition) => condition.holds(request)));
          expect([path, routes.indexOf(list.find(request) as CompiledRoute)]).toEqual([path, expected]);
          const { found, passed, omitted } = list.explain(request, 3);
          expect(routes.indexOf(found as CompiledRoute)).toBe(expected);
          const before = expected < 0 ? routes : routes.slice(0, expected);
          expect(passed.map(({ route }) => route)).toEqual(before.slice(0, 3));
          expect(omitted).toBe(before.length - passed.length);
          for (const { failed } of passed) expect(failed?.holds(request)).toBe(false);
        }
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });

  test('a request looks at the rules for its path only, among hundreds', () => {
    let looked = 0;
    const head = { method: 'GET', authority: 'h', scheme: 'http', lines: () => [] } as const;
    const pool = new ConditionPool();
    const routes: readonly CompiledRoute[] = Array.from({ length: 400 }, (_, index) => ({
      conditions: pool.conditionsOf({ uri: { prefix: `/area${index >> 2}/` }, headers: { 'x-rule': { exact: String(index) } } }),
      pathStart: `/area${index >> 2}/`,
      isCatchAll: false,
      answer: () => ({ kind: 'none' }),
      origin: ORIGIN,
    }));
    const list = new RouteList(
      routes.map((route) => ({
        ...route,
        get conditions() {
          looked++;
          return route.conditions;
        },
      })),
    );
    expect(list.find(new RoutedRequest({ ...head, path: '/area99/x' }))).toBeUndefined();
    expect(looked).toBe(4);
  });
});
