import { expect, it } from 'vitest';
import { fuzzAnswers } from './answers-end-to-end.ts';
import { fuzzEndToEnd } from './end-to-end.ts';

const seed = Number(process.env['PERCH_FUZZ_SEED'] ?? 20_261_130);
const inputs = Number(process.env['PERCH_FUZZ_INPUTS'] ?? 16_000);

it(`requests beside such with mistakes, ${inputs / 8} on connections that are kept: the upstream sees what was sent, and each answer finds its request`, async () => {
  const { forwarded } = await fuzzEndToEnd(seed, inputs / 8);
  expect(forwarded).toBeGreaterThan(inputs / 40);
});

it(`responses, ${inputs / 8} and most with mistakes: a client gets the whole answer to its own request, one of the gateway’s, or none`, async () => {
  const { whole, refused, cut } = await fuzzAnswers(seed, inputs / 8);
  for (const count of [whole, refused, cut]) expect(count).toBeGreaterThan(0);
});
