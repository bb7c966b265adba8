import { expect, it } from 'vitest';
import { fuzzParsers } from './fuzz-parsers.ts';

const seed = Number(process.env['PERCH_FUZZ_SEED'] ?? 20_261_130);
const inputs = Number(process.env['PERCH_FUZZ_INPUTS'] ?? 18_000);
/** As long as many inputs take. */
const TIMEOUT = 3_600_000;

it(
  `${inputs} requests and responses, most with mistakes in them, are read as llhttp reads them, however they are cut`,
  () => {
    const { counts } = fuzzParsers(seed, inputs);
    for (const verdict of [
      'requests forwarded',
      'requests refused by the gateway',
      'responses read alike',
      'responses that the gateway alone refuses',
    ]) {
      expect(counts.get(verdict), verdict).toBeGreaterThan(0);
    }
  },
  TIMEOUT,
);
