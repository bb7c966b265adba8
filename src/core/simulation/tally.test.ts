import { expect, test } from 'vitest';
import { Tally } from './tally.ts';

/** Pages of one client: the step, then the answers in it, c or s. */
function count(keepsCookies: boolean, ...pages: readonly (readonly [step: number, answers: string])[]): ReturnType<Tally['figures']> {
  const tally = new Tally(2);
  tally.client(keepsCookies);
  for (const [step, answers] of pages) {
    tally.page(step);
    for (const answer of answers) tally.answer(step, answer === 'c');
  }
  return tally.figures();
}

test('a visitor who goes there and back, and there again', () => {
  const { visitors, flippedBack, steps } = count(true, [-1, 'ss'], [0, 'scs'], [0, 's'], [1, 'cc'], [1, 'sc']);
  expect([visitors, flippedBack]).toEqual([1, 1]);
  expect(steps).toEqual([
    {
      visitors: 1,
      exposed: 1,
      visitorRequests: 4,
      exposedRequests: 4,
      requests: 4,
      canaryRequests: 1,
      switches: 2,
      flipBacks: 1,
      pages: 2,
      mixedPages: 1,
    },
    {
      visitors: 1,
      exposed: 1,
      visitorRequests: 4,
      exposedRequests: 4,
      requests: 4,
      canaryRequests: 3,
      switches: 3,
      flipBacks: 1,
      pages: 2,
      mixedPages: 1,
    },
  ]);
});

test('who was on stable before the release moves with the first answer of the canary in it', () => {
  expect(count(true, [-1, 's'], [1, 'c']).steps.map(({ visitors, exposed, switches }) => [visitors, exposed, switches])).toEqual([
    [0, 0, 0],
    [1, 1, 1],
  ]);
});

test('who came before the release only is no visitor of it', () => {
  expect(count(true, [-1, 'ss']).visitors).toBe(0);
});

test('clients that keep no cookie count in requests alone', () => {
  const { visitors, flippedBack, steps } = count(false, [0, 'cs']);
  expect([visitors, flippedBack]).toEqual([0, 0]);
  expect(steps[0]).toMatchObject({
    visitors: 0,
    exposed: 0,
    visitorRequests: 0,
    requests: 2,
    canaryRequests: 1,
    switches: 0,
    flipBacks: 0,
    pages: 0,
  });
});

test('requests of an exposed visitor are those of the whole step, also from before the canary came, and none of another step', () => {
  const { steps } = count(true, [0, 'ss'], [0, 'sc'], [0, 's'], [1, 'sss']);
  expect(steps.map(({ visitorRequests, exposedRequests }) => [visitorRequests, exposedRequests])).toEqual([
    [5, 5],
    [3, 0],
  ]);
});
