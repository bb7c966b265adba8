import { Option } from 'commander';
import { refText } from '../../cluster/manifest.ts';
import type { ObjectRef } from '../../cluster/store.ts';
import type { Phase } from '../../core/release/status.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import type { CliContext } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { missingObject } from '../objects/missing-object.ts';
import { refOfView } from '../objects/object-name.ts';
import { parseSpan } from '../options.ts';
import type { ReleaseClient } from '../release-client.ts';
import { deadline } from './deadline.ts';
import { judgePhase, type PhaseVerdict, parsePhase, phaseNames } from './phase-goal.ts';
import { openReleaseScreen, type ReleaseScreen } from './release-screen.ts';
import { watchReleases } from './watch-releases.ts';

/** `--wait PHASE`: the same on every command that has it. */
export function waitOption(): Option {
  return new Option('--wait <phase>', `wait until it is reached: ${phaseNames().join(', ')}`).argParser(parsePhase);
}

/** `--timeout DURATION` beside it; without it there is no end. */
export function waitTimeoutOption(): Option {
  return new Option('--timeout <duration>', 'with --wait: how long, at most (default: without end)').argParser(parseSpan);
}

/** What `--wait` means for the exit code, for help texts. */
export const WAIT_HELP = `
With --wait the exit code is 0 when every release has reached the phase, or is
behind it; 1, at once, when one of them has ended elsewhere, such as rolled
back; and 1 when time is over. One line says why.`;

/** What `--wait` and `--timeout` ask for. */
interface PhaseWait {
  readonly goal: Phase;
  /** Undefined: without end. */
  readonly timeoutMs: number | undefined;
  /** Nothing is printed: something else is, afterwards. */
  readonly isQuiet: boolean;
}

/**
 * Waits until all these releases have reached a phase, through restarts of the runtime too, and prints a line for each. Throws CommandError
 * with exit code 1 as soon as one cannot, or when time is over. A terminal shows meanwhile where they stand.
 */
export async function waitForPhase(
  context: CliContext,
  client: ReleaseClient,
  releases: readonly ObjectRef[],
  { goal, timeoutMs, isQuiet }: PhaseWait,
): Promise<void> {
  const { terminal, signal } = context;
  const verdicts = new Map<string, PhaseVerdict>();
  for (const ref of releases) {
    const release = await client.release(ref.namespace, ref.name);
    if (release === undefined) throw await missingObject(client, ref);
    verdicts.set(refText(ref), judgePhase(goal, release, client.invocation));
  }
  const ended = new AbortController();
  const isSettled = (): boolean => {
    const all = [...verdicts.values()];
    return all.some(({ kind }) => kind === 'failed') || all.every(({ kind }) => kind === 'reached');
  };
  const judge = (ref: ObjectRef, verdict: PhaseVerdict): void => {
    // What was reached once is reached, whatever comes after.
    if (verdicts.get(refText(ref))?.kind !== 'reached') verdicts.set(refText(ref), verdict);
    if (isSettled()) ended.abort();
  };
  if (!isSettled()) {
    const screen = terminal.interactive && !isQuiet ? openReleaseScreen(terminal, [], 'waiting', client.invocation) : NO_SCREEN;
    const watching: ReleaseScreen = {
      ...screen,
      update: (release: ReleaseView) => {
        screen.update(release);
        judge(refOfView(release), judgePhase(goal, release, client.invocation));
      },
      remove: (namespace, name) => {
        screen.remove(namespace, name);
        judge({ kind: 'CanaryRelease', namespace, name }, { kind: 'failed', text: `not ${goal}, it was deleted` });
      },
    };
    const over = timeoutMs === undefined ? [] : [deadline(timeoutMs)];
    const end = AbortSignal.any([signal, ended.signal, ...over]);
    const namespaces = [...new Set(releases.map(({ namespace }) => namespace))];
    const namesIn = (wanted: string) => releases.filter(({ namespace }) => namespace === wanted).map(({ name }) => name);
    try {
      await Promise.all(namespaces.map((namespace) => watchReleases(client, watching, { namespace, names: namesIn(namespace) }, end)));
    } finally {
      // What ends one ends all.
      ended.abort();
      screen.close();
    }
    signal.throwIfAborted();
  }
  const linesOf = (wanted: PhaseVerdict['kind'], before = ''): readonly string[] =>
    releases.flatMap((ref) => {
      const { kind, text } = verdicts.get(refText(ref)) ?? { kind: 'waiting', text: '' };
      return kind === wanted ? [`${ref.name}: ${before}${text}`] : [];
    });
  if (!isQuiet) for (const line of linesOf('reached')) terminal.out(line);
  const failures = [...linesOf('failed'), ...linesOf('waiting', `not ${goal} in time, `)];
  if (failures.length > 0) throw new CommandError(failures.join('\n'), 1);
}

/** Where nobody looks, nothing is shown. */
const NO_SCREEN: ReleaseScreen = { update: () => {}, remove: () => {}, setLost: () => {}, print: () => {}, close: () => {} };
