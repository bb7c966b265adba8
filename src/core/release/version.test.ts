import { describe, expect, test } from 'vitest';
import { describeVersion, sameVersion } from './version.ts';

const host = { host: 'reviews-v2', port: 9080 };

describe('sameVersion', () => {
  test.each([
    [{ subset: 'v2' }, { subset: 'v2' }, true],
    [{ subset: 'v2' }, { subset: 'v3' }, false],
    [host, { ...host }, true],
    [host, { ...host, port: 9081 }, false],
    [host, { ...host, host: 'reviews-v3' }, false],
    [host, { subset: 'reviews-v2' }, false],
    [{ subset: 'reviews-v2' }, host, false],
    [undefined, undefined, true],
    [host, undefined, false],
    [undefined, host, false],
  ])('%j and %j: %s', (one, other, same) => {
    expect(sameVersion(one, other)).toBe(same);
  });
});

test('a version in a sentence', () => {
  expect([{ subset: 'v2' }, { host: 'reviews-v2' }, host].map(describeVersion)).toEqual(['v2', 'reviews-v2', 'reviews-v2:9080']);
});
