import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import type { Finished } from '../harness/perch-process.ts';
import type { Serving } from '../harness/serving.ts';

/** A visitor's id in the lowest and one in the highest bucket, whatever the offset: on v2 at every weight, and on v1 below 100 %. */
const [EARLY, LATE] = ['00000000-0000-4000-8000-000000000000', 'ffffffff-ffff-4fff-bfff-ffffffffffff'] as const;

/** Which versions of `web` the early and the late visitor get. */
export async function versionsSeen({ ingress }: Serving): Promise<readonly string[]> {
  return await Promise.all(
    [EARLY, LATE].map(async (id) => (await fetch(ingress, { headers: { accept: 'text/html', cookie: `perch=${id}` } })).text()),
  );
}

/** The status of the release `web`, as the API tells; undefined where it is not there. */
export async function statusOf({ server }: Serving): Promise<ReleaseStatus | undefined> {
  const answer = await fetch(`${server}/api/v1/releases/default/web`);
  return answer.ok ? ((await answer.json()) as { readonly status?: ReleaseStatus }).status : undefined;
}

/** Its phase and step in short: `Paused 0`. */
export async function phaseOf(served: Serving): Promise<string> {
  const status = await statusOf(served);
  return `${status?.phase} ${status?.step}`;
}

/** Waits until the release is there, as `phaseOf` writes it. */
export async function untilPhase(served: Serving, phase: string): Promise<void> {
  let seen = '';
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    seen = await phaseOf(served);
    if (seen === phase) return;
    await sleep(20);
  }
  throw new Error(`still ${seen}, not ${phase}: ${served.process.stderr}`);
}

/** A command that could not run: nothing on stdout, one line of error, exit 2. */
export function expectOneLine({ code, stdout, stderr }: Finished, message: RegExp): void {
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, '']);
}
