import { beforeEach, expect, test } from 'vitest';
import { Rewrites } from './rewrites.ts';

let now: number;
let rewrites: Rewrites;
beforeEach(() => {
  now = 1_000_000;
  rewrites = new Rewrites(() => now);
});
const again = (manager = 'argocd-controller', key = 'VirtualService shop/web') => rewrites.note({ key, manager, isSameBase: true });

test('the third time that the same base is written it is told, once, with who does and what helps', () => {
  expect([again(), again()]).toEqual([undefined, undefined]);
  now += 9000;
  expect(again()).toBe(
    'argocd-controller wrote VirtualService shop/web 3 times within 9 s as it was, without the release: it is woven in again each time, but for a moment requests go by the bare rules. In the Application, ignore /spec/http of it (ignoreDifferences) with RespectIgnoreDifferences=true, or let the release own its routes (spec.route.delegate)',
  );
  expect([again(), again()]).toEqual([undefined, undefined]);
});

test.each([
  ['kustomize-controller', /Kustomization.*spec\.ignore/],
  ['kubectl-client-side-apply', /leave spec\.http alone/],
])('%s has a remedy of its own', (manager, remedy) => {
  again(manager);
  again(manager);
  expect(again(manager)).toMatch(remedy);
});

test('changes are no contest, neither is what is hours apart, nor what others write elsewhere', () => {
  for (let index = 0; index < 9; index++)
    expect(rewrites.note({ key: 'VirtualService shop/web', manager: 'kubectl-edit', isSameBase: false })).toBeUndefined();
  again();
  again();
  now += 3_600_001;
  expect([again(), again(), again('a', 'b'), again('a', 'c')]).toEqual([undefined, undefined, undefined, undefined]);
});

test('one that is over may begin again, and is told again', () => {
  for (let index = 0; index < 5; index++) again();
  now += 3_600_001;
  again();
  again();
  expect(again()).toMatch(/3 times/);
});

test('five times at once, then once a second: who writes each few seconds is never waited for', () => {
  const key = 'VirtualService shop/web';
  expect(rewrites.restOf(key)).toBe(0);
  for (let index = 0; index < 5; index++) {
    again();
    expect(rewrites.restOf(key)).toBe(0);
  }
  again();
  expect(rewrites.restOf(key)).toBe(1000);
  now += 1000;
  expect(rewrites.restOf(key)).toBe(0);
  again();
  expect(rewrites.restOf(key)).toBe(1000);
  now += 60_000;
  for (let index = 0; index < 100; index++) {
    now += 2000;
    again();
    expect(rewrites.restOf(key)).toBe(0);
  }
  rewrites.forget(key);
  expect(rewrites.restOf(key)).toBe(0);
  for (let index = 0; index < 6; index++) rewrites.takenBack(key);
  expect(rewrites.restOf(key)).toBe(1000);
});
