import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GuideCommand, type GuideStep, stepsOf } from './guide.ts';
import { GuideReader } from './guide-reader.ts';

const GUIDE = fileURLToPath(new URL('../../docs/guides/first-release.md', import.meta.url));
const steps = stepsOf(readFileSync(GUIDE, 'utf8'));

/** Commands that only look may be typed again: what was measured arrives a moment later. */
const LOOKS = /^(?:perch (?:get|describe|status)|curl) /;

const title = 'docs/guides/first-release.md: what its reader types does what it says';
const hasCurl = spawnSync('curl', ['--version']).status === 0;

describe.skipIf(!hasCurl)(hasCurl ? title : `${title} (needs curl)`, () => {
  let reader: GuideReader;

  beforeAll(async () => {
    reader = await GuideReader.start();
  });

  afterAll(async () => {
    await reader.close();
  });

  async function follow(step: GuideStep): Promise<void> {
    if (step.kind === 'file') {
      await reader.save(step.path, step.text);
      return;
    }
    for (const command of step.commands) {
      if (step.background) expect(await reader.startProgram(command)).toEqual(reader.shown(command));
      else await type(command);
    }
  }

  async function type(command: GuideCommand): Promise<void> {
    const shown = reader.shown(command);
    if (LOOKS.test(command.command)) await expect.poll(() => reader.run(command), { timeout: 20_000, interval: 200 }).toEqual(shown);
    else expect(await reader.run(command)).toEqual(shown);
  }

  // In order: each step builds on those before it.
  test.each(steps.map((step) => [titleOf(step), step] as const))('%s', async (_, step) => {
    await follow(step);
  });
});

function titleOf(step: GuideStep): string {
  const what = step.kind === 'file' ? step.path : step.commands.map(({ command }) => command).join('; ');
  return `line ${step.line}: ${what}`;
}

test('the guide has files, programs and commands', () => {
  expect(steps.filter(({ kind }) => kind === 'file')).toHaveLength(4);
  expect(steps.filter((step) => step.kind === 'console' && step.background)).toHaveLength(3);
  expect(steps.flatMap((step) => (step.kind === 'console' ? step.commands : [])).length).toBeGreaterThan(20);
});
