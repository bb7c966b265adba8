import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HTTPMatchRequest } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { PathIndex } from './path-index.ts';
import { isWiderMatch } from './wider-match.ts';

test('leaves aside what surely takes other paths', () => {
  const uris = [{ prefix: '/shop' }, { exact: '/shop' }, { prefix: '/other' }, { regex: '/s.*' }, { prefix: '/' }];
  const index = new PathIndex([...uris.map((uri) => ({ uri })), {}]);
  expect(index.asWideAs({ uri: { prefix: '/shop/cart' } })).toEqual([0, 4, 5]);
  expect(index.asWideAs({ uri: { exact: '/shop' } })).toEqual([0, 1, 4, 5]);
  expect(index.asWideAs({ uri: { regex: '/s.*' } })).toEqual([3, 4, 5]);
  expect(index.asWideAs({})).toEqual([4, 5]);
});

test('names every block that is as wide', () => {
  const text = fc.constantFrom('', '/', '/a', '/A', '/a/b', '/ab', 'a', '.*');
  const uri = fc.oneof(
    text.map((prefix) => ({ prefix })),
    text.map((exact) => ({ exact })),
    text.map((regex) => ({ regex })),
  );
  const block: fc.Arbitrary<HTTPMatchRequest> = fc.record(
    { uri, ignoreUriCase: fc.boolean(), headers: fc.constant({ 'x-a': { exact: '1' } }) },
    { requiredKeys: [] },
  );
  let wide = 0;
  fc.assert(
    fc.property(fc.array(block, { maxLength: 12 }), block, (blocks, narrower) => {
      const found = new PathIndex(blocks).asWideAs(narrower);
      const wider = [...blocks.keys()].filter((position) => isWiderMatch(blocks[position] ?? {}, narrower));
      expect(found).toEqual(found.toSorted((left, right) => left - right));
      expect(found).toEqual(expect.arrayContaining(wider));
      wide += wider.length;
    }),
    { seed: 51, numRuns: runs(2000) },
  );
  // So that naming nothing would not do.
  expect(wide).toBeGreaterThan(atLeast(1000));
});
