import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RecordedEvent } from '../../src/core/release/release-event.ts';
import type { ReleaseStatus, RequestAction } from '../../src/core/release/status.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { startServing } from '../harness/serving.ts';
import type { Form, Mode } from './shop.ts';
import { Story } from './story.ts';

// Releases that are rolled back, retried, finished, rolled back after that, superseded, promoted to the end and deleted, while their runtime is killed again and again: in its first start and
// later ones, at step changes, in holds, during an apply, right after a request was accepted; always with visitors on their way.

/** `npm run test:all` has 200, and more where not every story was told by then. */
const KILLS = Number(process.env['PERCH_KILLS'] ?? 20);
/** Told in this order, as far as the kills go; of 100 and more, all of them. */
const STORIES: readonly (readonly [Form, Mode])[] = [
  ['adopt', 'visitor'],
  ['managed', 'canaryOnly'],
  ['delegate', 'visitor'],
  ['adopt', 'canaryOnly'],
  ['managed', 'visitor'],
  ['delegate', 'canaryOnly'],
];
/** Whether stories go on after the first success; `npm test` has to be quick. */
const GO_ON = KILLS >= 100;
const SEED = 20260801;

/** As long as two or three lives, however slow this machine is at the moment. */
async function measureHold(): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'perch-kill-first-'));
  const began = performance.now();
  await (await startServing(['--data', dir])).process.stop('SIGKILL');
  rmSync(dir, { recursive: true });
  return Math.max(2000, Math.ceil(3 * (performance.now() - began)));
}

/** What to ask of the release in this life, so that it is rolled back once from 50 %, and then goes all the way. */
function wishFor({ phase, started }: ReleaseStatus, killsHere: number): RequestAction | undefined {
  if (killsHere === 0) return undefined;
  if (phase === 'RolledBack') return 'retry';
  if (phase !== 'Paused') return undefined;
  return started === 1 ? 'rollback' : 'promote';
}

/** What the kills of one story fell on. */
interface Kills {
  start: number;
  hold: number;
  change: number;
  request: number;
  deletion: number;
}

/** Tells one story to its end, however many kills that takes. */
async function tell(story: Story, random: () => number): Promise<Kills> {
  const kills: Kills = { start: 0, hold: 0, change: 0, request: 0, deletion: 0 };
  const killStarts = async (times: number): Promise<void> => {
    for (; times > 0; times--, kills.start++) await story.killStarting(random() * 900);
  };
  // Before there is anything.
  await killStarts(2);

  let place = '';
  let killsHere = 0;
  for (let life = 0; ; life++) {
    const status = await story.live();
    if (status.phase === 'Succeeded') break;
    const here = `${status.started} ${status.phase} ${status.step}`;
    killsHere = here === place ? killsHere + 1 : 0;
    place = here;
    const wish = wishFor(status, killsHere);
    const left = status.holdUntil === undefined ? undefined : Date.parse(status.holdUntil) - Date.now();
    if (wish !== undefined) {
      await story.ask(wish);
      await story.kill(random() * 20);
      kills.request++;
    } else if (left !== undefined && (left < 900 || life % 2 === 1)) {
      // Around the end of the hold: before, while, and after the next step is stored and served.
      await story.kill(Math.max(0, left - 10 + random() * 50));
      kills.hold++;
    } else if (life % 3 === 2) {
      story.change();
      await story.kill(random() * 15);
      kills.change++;
    } else {
      await story.kill(random() * 300);
      kills.hold++;
    }
    // One more, and now and then two in a row, before it is up again.
    if (life % 4 === 3) await killStarts(life % 8 === 3 ? 2 : 1);
  }

  if (GO_ON) await undoAndRepeat(story, random, kills);
  if (story.shop.form === 'adopt') {
    await story.own();
    await story.kill(random() * 15);
    kills.change++;
    await story.live();
  }
  rmSync(story.shop.releaseFile);
  await story.remove();
  await story.kill(random() * 15);
  kills.deletion++;
  await killStarts(1);
  await story.liveOn();
  return kills;
}

/** What happens in `undoAndRepeat`, but for the steps. */
const UNDONE_AND_REPEATED = [
  'RollingBack by test',
  'RolledBack by test',
  'RetryRequested by test',
  'Started',
  'SpecChanged by api',
  'Superseding',
  'Superseded',
  'Started',
  'Completing by test',
  'Succeeded',
];

/** Each thing that happened was recorded once, whenever the kills fell; times and ids aside, the history is that of a runtime that nobody killed. */
function assertHistory(history: readonly RecordedEvent[], form: Form): void {
  const stepsOf = (indexes: readonly number[]) => indexes.flatMap((step) => [`StepStarted ${step}`, `StepConfirmed ${step}`]);
  const told = history.filter(({ reason }) => !['Paused', 'CanaryLost', 'CanaryFound', 'NoReadyVersion'].includes(reason));
  const withStep = told.map(({ reason, step, by }) => {
    if (reason === 'StepStarted' || reason === 'StepConfirmed') return `${reason} ${step}`;
    return by === undefined || reason === 'Created' ? reason : `${reason} by ${by}`;
  });
  const asked = withStep.filter((line) => line.startsWith('Requested'));
  expect(asked).toEqual(Array.from({ length: GO_ON ? 6 : 3 }, () => 'Requested by test'));
  // How far the third and the fourth release came before they were cut short is a matter of chance.
  const third = withStep.findIndex((_, index) => withStep.slice(0, index + 1).filter((line) => line === 'Started').length === 3);
  const isExact = (line: string, index: number) => third < 0 || index < third || !line.startsWith('Step');
  const exact = withStep.filter((line, index) => !line.startsWith('Requested') && isExact(line, index));
  expect(exact).toEqual([
    'Created',
    'Started',
    ...stepsOf([0, 1, 2]),
    'RollingBack by test',
    'RolledBack by test',
    'RetryRequested by test',
    'Started',
    ...stepsOf([0, 1, 2, 3, 4]),
    'Completing',
    'Succeeded',
    ...(GO_ON ? UNDONE_AND_REPEATED : []),
    ...(form === 'adopt' ? ['SpecChanged by api'] : []),
    'DeletionRequested by api',
    'Deleted',
  ]);
}

/** Undoes what has succeeded, tries again, has that overtaken by another revision, and promotes this one to its end. */
async function undoAndRepeat(story: Story, random: () => number, kills: Kills): Promise<void> {
  const killSoon = async (what: 'request' | 'change'): Promise<void> => {
    await story.kill(random() * 20);
    kills[what]++;
  };
  const liveUntil = async (isThere: (status: ReleaseStatus) => boolean): Promise<void> => {
    for (; !isThere(await story.live()); kills.hold++) await story.kill(random() * 100);
  };
  await story.ask('rollback');
  await killSoon('request');
  await liveUntil(({ phase }) => phase === 'RolledBack');
  await story.ask('retry');
  await killSoon('request');
  await liveUntil(({ started }) => started === 3);
  await story.supersede(7);
  await killSoon('change');
  await liveUntil(({ started }) => started === 4);
  await story.ask('promote', true);
  await killSoon('request');
  await liveUntil(({ phase }) => phase === 'Succeeded');
}

function assertWhole(story: Story, kills: Kills): void {
  const attempts = [1, 2].map((started) => story.sights.filter(({ status }) => status.started === started).map(({ status }) => status));
  const steps = attempts.map((seen) => [...new Set(seen.map(({ step }) => step))].filter((step) => step >= 0));
  expect(steps).toEqual([
    [0, 1, 2],
    [0, 1, 2, 3, 4],
  ]);
  const ends = ['Succeeded', 'RolledBack'];
  expect(story.sights.at(-1)?.status.history.map(({ outcome }) => outcome)).toEqual(
    GO_ON ? ['Succeeded', 'Superseded', 'RolledBack', ...ends] : ends,
  );
  expect(story.routesOf.size, 'ways to route: every step, stable, canary').toBeGreaterThanOrEqual(story.shop.steps.length + 2);
  const split = [...story.routesOf].filter(([what]) => what.includes('%')).map(([, routes]) => routes);
  expect(new Set(split).size).toBe(split.length);
  expect(story.exactRounds).toBeGreaterThan(5);
  expect(story.crowdAnswers).toBeGreaterThan(100);
  expect(kills).toMatchObject({ request: GO_ON ? 6 : 3, deletion: 1 });
  expect(new Set(story.lastSeen.values())).toEqual(new Set(['v2']));
}

test(`${KILLS} times kill -9 in the lives of releases: every visitor, route, step and promise where it was`, {
  timeout: 1_800_000,
}, async () => {
  const random = seededRandom(SEED);
  const holdMs = await measureHold();
  const told: Kills[] = [];
  const total = (): number => told.flatMap((kills) => Object.values(kills)).reduce((sum, count) => sum + count, 0);
  while (total() < KILLS || (GO_ON && told.length < STORIES.length)) {
    const [form, mode] = STORIES[told.length % STORIES.length] ?? ['adopt', 'visitor'];
    const story = await Story.begin(holdMs, form, mode);
    try {
      const kills = await tell(story, random);
      assertWhole(story, kills);
      assertHistory(await story.history(), form);
      told.push(kills);
    } finally {
      await story.close();
    }
  }
  console.log(`killed ${total()} times: ${JSON.stringify(told)}`);
});
