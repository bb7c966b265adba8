import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PHASES } from '../../src/core/release/phase.ts';
import { REQUEST_ACTIONS } from '../../src/core/release/requests.ts';
import { type Act, anyAct, anyCrash, type Crash, ReleaseLives } from './release-commands.ts';

// The whole machine against a naive model: the real controller on a real SQLite file, which dies at its writes, before they take effect
// and after, while clocks are set, endpoints come and go, and people ask for things and change their minds.

/** `npm run test:all` has 1000. */
const CRASHES = Number(process.env['PERCH_CRASHES'] ?? 40);
const SEED = 20260802;

/** What a thousand crashes have to come across. */
const EVERYWHERE: readonly string[] = [
  ...PHASES.map((phase) => `phase ${phase}`),
  ...['Progressing', 'Paused', 'Completing', 'Succeeded'].map((phase) => `RollingBack from ${phase}`),
  ...['Progressing', 'Paused'].map((phase) => `Superseded from ${phase}`),
  ...[...REQUEST_ACTIONS, 'promote --full'].flatMap((action) => [`${action} done`, `${action} refused`]),
  'left',
];

/** One thing that happens, as fast-check runs and shows it. */
class Happening implements fc.AsyncCommand<object, ReleaseLives> {
  readonly act: Act;
  readonly crash: Crash | undefined;

  constructor(act: Act, crash: Crash | undefined) {
    this.act = act;
    this.crash = crash;
  }

  check(): boolean {
    return true;
  }

  async run(_: object, real: ReleaseLives): Promise<void> {
    await real.perform(this.act, this.crash);
  }

  toString(): string {
    return JSON.stringify({ ...this.act, ...(this.crash === undefined ? {} : { crash: this.crash }) });
  }
}

const happening = fc.tuple(anyAct, anyCrash).map(([act, crash]) => new Happening(act, crash));

test(`${CRASHES} crashes at writes: no step skipped or shortened, nobody flipped, routes old or new, each request handled once`, {
  timeout: 900_000,
}, async () => {
  const seen = new Map<string, number>();
  let crashes = 0;
  for (let round = 0; crashes < CRASHES; round++) {
    await fc.assert(
      fc.asyncProperty(fc.commands([happening], { maxCommands: 40, size: 'max' }), anyCrash, async (commands, lastCrash) => {
        const real = await ReleaseLives.begin(seen);
        try {
          await fc.asyncModelRun(() => ({ model: {}, real }), commands);
          await real.assertEnds();
          await real.assertUndone(lastCrash);
        } finally {
          crashes += real.lives.crashes;
          await real.lives.close();
        }
      }),
      { seed: SEED + round, numRuns: 2 },
    );
  }
  console.log(`crashed ${crashes} times: ${JSON.stringify(Object.fromEntries([...seen].toSorted()))}`);
  // It says something only if it went everywhere.
  if (CRASHES >= 1000) for (const what of EVERYWHERE) expect(seen.get(what) ?? 0, what).toBeGreaterThan(0);
  expect(seen.get('hold over') ?? 0).toBeGreaterThan(0);
  expect(seen.get('start') ?? 0).toBeGreaterThan(5);
});
