import { expect, it } from 'vitest';
import { fuzzParsers } from './fuzz-parsers.ts';

const seed = Number(process.env['PERCH_FUZZ_SEED'] ?? 20_261_130);
const inputs = Number(process.env['PERCH_FUZZ_INPUTS'] ?? 16_000);

it(`${inputs} requests and responses, most with mistakes in them, are read as llhttp reads them, however they are cut`, () => {
  const { counts } = fuzzParsers(seed, inputs);
  for (const verdict of [
    'requests forwarded',
    'requests refused by the gateway',
    'responses read alike',
    'responses that the gateway alone refuses',
  ]) {
    expect(counts.get(verdict), verdict).toBeGreaterThan(0);
  }
});
