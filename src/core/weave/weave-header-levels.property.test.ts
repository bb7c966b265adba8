import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectAt } from '../../../test/harness/routes.ts';
import type { HeaderOperations, KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { compileRouting } from '../routing/compile.ts';
import { applyHeaderEdits } from '../routing/header-edits.ts';
import { edgeInput, gatewayOf, releaseOf, TEN_PERCENT_DRAWN } from './fixtures.cases.ts';
import { weaveRelease } from './weave-virtual-service.ts';

/**
 * With one destination a data plane applies the rule's header operations before the destination's, with several after them. A draw makes two of
 * one, and must not change what the base's own operations come to.
 */

const values = fc.constantFrom('1', '2');
const named = fc.dictionary(fc.constantFrom('x-a', 'X-B', 'x-c', 'cache-control'), values, { maxKeys: 2 });
const operations: fc.Arbitrary<HeaderOperations> = fc.record(
  { set: named, add: named, remove: fc.uniqueArray(fc.constantFrom('X-A', 'x-b', 'x-c', 'cache-control'), { maxLength: 2 }) },
  { requiredKeys: [] },
);
const headers = fc.record({ request: operations, response: operations }, { requiredKeys: [] });
const MESSAGE = ['x-a', '0', 'x-b', '0', 'cache-control', 'max-age=9', 'other', '0'];

/** What a request and its answer carry after the edits of the rule that takes it, each name with its values in order. */
function outcome(virtualService: KubeObject, cookie: string | undefined, random: number) {
  const { table } = compileRouting([gatewayOf(), virtualService]);
  const request = { line: 'GET http://web.test/', headers: cookie === undefined ? {} : { cookie }, random };
  const selection = selectAt(table, 'ingress 80', request);
  if (selection.kind !== 'forward') throw new Error(selection.kind);
  return (['request', 'response'] as const).map((message) => {
    const context = { message, requestHeader: () => undefined, protocol: 'HTTP/1.1', responseCode: 200 } as const;
    const fields = applyHeaderEdits(MESSAGE, selection[message], context);
    const byName: Record<string, string[]> = {};
    fields.forEach((name, index) => {
      if (index % 2 === 0) byName[name.toLowerCase()] = [...(byName[name.toLowerCase()] ?? []), fields[index + 1] ?? ''];
    });
    return byName;
  });
}

describe('header operations of a base that is drawn', () => {
  it('come to what they came to, on stable; on the canary the cookie and its mark are added', () => {
    const { cookie } = TEN_PERCENT_DRAWN;
    const seen = { woven: 0, left: 0 };
    fc.assert(
      fc.property(headers, headers, (ofRule, ofDestination) => {
        const rule = { headers: ofRule, route: [{ destination: { host: 'web' }, headers: ofDestination }] };
        const input = edgeInput([rule], { release: releaseOf({ affinity: { mode: 'canaryOnly' } }), plan: TEN_PERCENT_DRAWN });
        const { routes } = weaveRelease(input);
        const served = routes[0]?.virtualService;
        if (served === undefined) {
          seen.left++;
          return;
        }
        seen.woven++;
        const base = outcome(input.routed, undefined, 0);
        expect(outcome(served, undefined, 0)).toEqual(base);
        expect(outcome(served, `${cookie.name}=${cookie.value}`, 0)).toEqual(base);
        const [request, response] = outcome(served, undefined, 0.99);
        const { 'set-cookie': given, 'cache-control': cacheControl = [], ...others } = response ?? {};
        const { 'cache-control': before = [], ...rest } = base[1] ?? {};
        expect([request, others]).toEqual([base[0], rest]);
        expect(given).toEqual([`${cookie.name}=${cookie.value}; Max-Age=${cookie.maxAge}`]);
        const directives = (lines: readonly string[]) => lines.flatMap((line) => line.split(',')).toSorted();
        expect(directives(cacheControl)).toEqual(directives([...before, 'private']));
      }),
      { seed: 43, numRuns: runs(1_000) },
    );
    expect(Math.min(seen.woven, seen.left)).toBeGreaterThan(atLeast(200));
  });
});
