import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GuideCommand, type GuideStep, stepsOf } from './guide.ts';
import { GuideReader } from './guide-reader.ts';

/** Commands that only look may be typed again: what was measured arrives a moment later. */
const LOOKS = /^(?:perch (?:get|describe|status)|curl|kubectl (?:perch )?(?:get|describe|status|history)) /;

const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** The steps of a page of docs/guides. */
export function guideSteps(page: string): readonly GuideStep[] {
  return stepsOf(readFileSync(fileURLToPath(new URL(`../../docs/guides/${page}`, import.meta.url)), 'utf8'));
}

/** A test for each step of a page of docs/guides: what its reader types does what the page says. */
export function followGuide(page: string): void {
  const title = titleOfGuide(page);
  describe.skipIf(!hasCurl)(hasCurl ? title : `${title} (needs curl)`, () => followSteps(page, () => GuideReader.start()));
}

/** What the suite of a page of docs/guides is called. */
export function titleOfGuide(page: string): string {
  return `docs/guides/${page}: what its reader types does what it says`;
}

/** The tests of `followGuide`, for a reader who needs more. */
export function followSteps(page: string, start: () => Promise<GuideReader>): void {
  let reader: GuideReader | undefined;

  beforeAll(async () => {
    reader = await start();
  });

  afterAll(async () => {
    await reader?.close();
  });

  // In order: each step builds on those before it.
  test.each(guideSteps(page).map((step) => [titleOf(step), step] as const))('%s', async (_, step) => {
    if (reader === undefined) throw new Error('there is no reader');
    await follow(reader, step);
  });
}

async function follow(reader: GuideReader, step: GuideStep): Promise<void> {
  if (step.kind === 'file') {
    await reader.save(step.path, step.text);
    return;
  }
  for (const command of step.commands) {
    if (step.background) expect(await reader.startProgram(command)).toEqual(reader.shown(command));
    else await type(reader, command);
  }
}

async function type(reader: GuideReader, command: GuideCommand): Promise<void> {
  const shown = reader.shown(command);
  if (LOOKS.test(command.command)) await expect.poll(() => reader.run(command), { timeout: 20_000, interval: 200 }).toEqual(shown);
  else expect(await reader.run(command)).toEqual(shown);
}

function titleOf(step: GuideStep): string {
  const what = step.kind === 'file' ? step.path : step.commands.map(({ command }) => command).join('; ');
  return `line ${step.line}: ${what}`;
}
