import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Properties with many runs get this many: they are run for every mutant, and most are found by the first few. */
const MOST_RUNS = 300;

/** Examples first, then the fastest: a mutant is done with the first test that notices it. */
class CheapestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const cost = ({ moduleId }: TestSpecification): number =>
      Number(moduleId.includes('.property.')) * 2 + Number(/rule-name|article|routing/.test(moduleId));
    return files.toSorted((left, right) => cost(left) - cost(right));
  }
}

// For Stryker (stryker.config.json, tools/mutation.ts): a folder of src is judged by the tests beside it.
export default defineConfig({
  plugins: [
    {
      name: 'fewer-runs',
      enforce: 'pre',
      transform(code, id) {
        if (!id.endsWith('.test.ts')) return undefined;
        return code.replaceAll(/numRuns: ([\d_]+)/g, (_, runs: string) => {
          const wanted = Number(runs.replaceAll('_', ''));
          return `numRuns: ${wanted > 1_000 ? MOST_RUNS : wanted}`;
        });
      },
    },
  ],
  test: {
    include: [`src/${process.env['PERCH_MUTATED'] ?? 'core'}/**/*.test.ts`],
    // These count how often they came where, over thousands of lives: a score without them is a lower bound.
    exclude: ['**/*.properties.test.ts'],
    setupFiles: ['test/harness/property-share.ts', 'test/harness/first-counterexample.ts'],
    // What goes through every cutoff takes each 509th here: prime, so that their last digits differ.
    env: { PERCH_CUTOFF_STRIDE: '509', PERCH_PROPERTY_SHARE: '0.03' },
    sequence: { sequencer: CheapestFirst },
    testTimeout: 180_000,
    // One worker for all files: they are pure, and to start one for each costs more than the tests.
    isolate: false,
  },
});
