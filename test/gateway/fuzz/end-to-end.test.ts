import { expect, it } from 'vitest';
import { fuzzAnswers } from './answers-end-to-end.ts';
import { fuzzEndToEnd } from './end-to-end.ts';

const seed = Number(process.env['PERCH_FUZZ_SEED'] ?? 20_261_130);
const inputs = Math.ceil(Number(process.env['PERCH_FUZZ_INPUTS'] ?? 18_000) / 18);
/** As long as many inputs take. */
const TIMEOUT = 3_600_000;

it(
  `requests beside such with mistakes, ${inputs} on connections that are kept: the upstream sees what was sent, and each answer finds its request`,
  async () => {
    const { forwarded } = await fuzzEndToEnd(seed, inputs);
    expect(forwarded).toBeGreaterThan(inputs / 5);
  },
  TIMEOUT,
);

it(
  `responses, ${inputs} and most with mistakes: a client gets the whole answer to its own request, one of the gateway’s, or none`,
  async () => {
    const { whole, refused, cut } = await fuzzAnswers(seed, inputs);
    for (const count of [whole, refused, cut]) expect(count).toBeGreaterThan(0);
  },
  TIMEOUT,
);
