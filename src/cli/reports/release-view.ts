import { widthOf, wrap } from '../../core/diagnostics/wrap.ts';
import type { ExposureSummary } from '../../core/evidence/exposure.ts';
import { describeStep } from '../../core/release/describe-step.ts';
import { parseDuration } from '../../core/release/durations.ts';
import { describeVersion } from '../../core/release/version.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import { type Invocation, PLAIN_INVOCATION, releaseCommand } from '../invocation.ts';
import { countdown } from '../terminal/age.ts';
import { clip, printable } from '../terminal/clip.ts';
import { progressBar } from '../terminal/progress-bar.ts';
import type { Style } from '../terminal/style.ts';
import { endpointsText } from './endpoints-text.ts';
import {
  edgeOnlyText,
  edgeTexts,
  endedShareText,
  errorsText,
  movedText,
  realRequestsText,
  realText,
  requestShareText,
  shareText,
  UNCOUNTED,
} from './exposure-text.ts';
import { pairOf, percent } from './release-text.ts';

/** Names of the two versions. */
function versionsOf(release: ReleaseView): { readonly stable: string; readonly canary: string } {
  const { stable, canary } = pairOf(release);
  return { stable: stable === undefined ? '?' : describeVersion(stable), canary: describeVersion(canary) };
}

/** How much of the current step's hold is over, 0 to 1; manual holds stay at 0. */
function holdFraction({ spec, status }: ReleaseView, now: number): number {
  if (status?.stepStartedAt === undefined) return 0;
  const started = Date.parse(status.stepStartedAt);
  if (status.holdUntil !== undefined) {
    const total = Date.parse(status.holdUntil) - started;
    return total <= 0 ? 1 : Math.min(Math.max((now - started) / total, 0), 1);
  }
  const hold = parseDuration(spec.steps[status.step]?.hold ?? '');
  return hold === undefined || hold === 0 || status.holdRemainingMs === undefined ? 0 : 1 - status.holdRemainingMs / hold;
}

/** What happens next, in a few words. */
function nextText({ metadata, status }: ReleaseView, now: number, invocation: Invocation): string {
  if (metadata.deletionTimestamp !== undefined) return 'being deleted';
  if (status?.phase === 'Paused') {
    return `until ${releaseCommand(invocation, status.pausedBy === 'hold' ? 'promote' : 'resume', metadata)}`;
  }
  if (status?.phase !== 'Progressing') return '';
  if (status.stepStartedAt === undefined) return 'routes are being changed';
  if (status.holdUntil === undefined) return '';
  const left = Date.parse(status.holdUntil) - now;
  return left <= 0 ? 'next now' : `next in ${countdown(left)}`;
}

/** A step that has not ended this long after its hold waits for something, which the status' message names. */
const OVERDUE_MS = 2000;

/** Reasons of the condition Reconciling that the message has to be read for. */
const HOLDS_UP: ReadonlySet<string> = new Set(['NotWidened', 'Suspended', 'CanaryLost', 'StableLost']);

/** Where the release stands: `step 2 of 4, 25 %, next in 0:18`; the status' own sentence where it is on no step, or held up. */
function whereText(release: ReleaseView, now: number, invocation: Invocation): string {
  const { spec, status } = release;
  if (status === undefined) return 'not looked at yet';
  if (status.phase !== 'Progressing' && status.phase !== 'Paused') return printable(status.message);
  const isOverdue = status.holdUntil !== undefined && now - Date.parse(status.holdUntil) > OVERDUE_MS;
  const isHeldUp = status.conditions.some(({ type, reason }) => type === 'Reconciling' && HOLDS_UP.has(reason));
  if (isOverdue || isHeldUp) return printable(status.message);
  const next = nextText(release, now, invocation);
  return `step ${status.step + 1} of ${spec.steps.length}, ${weightText(release)}${next === '' ? '' : `, ${next}`}`;
}

function phaseText({ status }: ReleaseView, style: Style): string {
  const phase = status?.phase ?? 'Pending';
  if (phase === 'Succeeded') return style.good(phase);
  return phase === 'Pending' || phase === 'Paused' || phase === 'RollingBack' || phase === 'RolledBack' || phase === 'Superseded'
    ? style.attention(phase)
    : style.bold(phase);
}

/** A command that helps where nothing goes on by itself. */
function wayOut({ metadata, status }: ReleaseView, invocation: Invocation): string | undefined {
  return status?.phase === 'RolledBack' ? `${releaseCommand(invocation, 'retry', metadata)} starts it once more` : undefined;
}

/** Where the bar stands: all done after the end, nothing after a rollback. */
function barStep({ spec, status }: ReleaseView): number {
  if (status?.phase === 'Succeeded' || status?.phase === 'Completing') return spec.steps.length;
  return status?.phase === 'Progressing' || status?.phase === 'Paused' ? status.step : -1;
}

type Fact = readonly [label: string, text: string | undefined];

/** Who has seen the canary, as far as it can be counted. */
function seenFacts(exposure: ExposureSummary, name: string, canary: string, style: Style): readonly Fact[] {
  if (exposure.counts === 'requests') {
    return [
      [`on ${canary}`, requestShareText(exposure, style)],
      ['', realRequestsText(exposure)],
      ['visitors', UNCOUNTED],
    ];
  }
  return [
    [`on ${canary}`, shareText(exposure, style)],
    ['', realText(exposure, canary)],
    ['', edgeOnlyText(exposure)],
    ['moved', movedText(exposure, canary)],
    ...edgeTexts(exposure, name, style).map((text): Fact => ['ids', text]),
  ];
}

const INDENT = '  ';
/** A pipe has no width to fill. */
const WIDEST_BAR = 118;

/**
 * One release as the terminal shows it, every line at most `columns` wide: where it stands, its steps, and the exposure measured in
 * visitors against the weight. `now` is in ms since the epoch.
 */
export function renderRelease(
  release: ReleaseView,
  now: number,
  style: Style,
  columns: number,
  invocation: Invocation = PLAIN_INVOCATION,
): readonly string[] {
  const { metadata, spec, exposure } = release;
  const { stable, canary } = versionsOf(release);
  const name = metadata.namespace === invocation.namespace ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  const weights = spec.steps.map((step) => step.weight ?? 0);
  const head = `${style.bold(name)}  ${stable} → ${canary}   ${phaseText(release, style)}`;
  const where = whereText(release, now, invocation);
  const room = columns - INDENT.length;
  const help = wayOut(release, invocation);
  const isShort = widthOf(head) + 3 + widthOf(where) <= room;
  const lines = [
    ...(isShort ? [`${head}   ${where}`] : [head, ...wrap(where, room)]),
    ...(help === undefined || metadata.deletionTimestamp !== undefined ? [] : [style.dim(help)]),
    progressBar(weights, barStep(release), holdFraction(release, now), Math.min(room, WIDEST_BAR), style),
  ];
  const measured: readonly Fact[] =
    exposure === undefined ? [] : [...seenFacts(exposure, name, canary, style), ['errors', errorsText(exposure, stable, canary, style)]];
  const facts = [...measured, ['endpoints', endpointsText(release, style)] as const].filter(([, text]) => text !== undefined);
  const width = Math.max(...facts.map(([label]) => label.length)) + 3;
  for (const [label, text] of facts) lines.push(`${label.padEnd(width)}${text}`);
  return lines.map((line) => clip(`${INDENT}${line}`, columns));
}

/** What is worth a line of its own where nothing can be redrawn: phase, step, and whether its routes are in force. */
function standing({ metadata, status }: ReleaseView): string {
  return [status?.phase, status?.step, status?.stepStartedAt !== undefined, status?.message, metadata.deletionTimestamp !== undefined].join(
    '\n',
  );
}

/** What the step does: the weight, or who is picked. */
function weightText({ spec, status }: ReleaseView): string {
  const step = spec.steps[status?.step ?? -1];
  return step?.match === undefined || status?.weight !== 0 ? percent(status?.weight ?? 0) : printable(describeStep(step));
}

/** What a step came to that ended; undefined where nothing was measured, or there was no weight to hold it against. */
function endedText(name: string, canary: string, exposure: ExposureSummary, style: Style): string | undefined {
  if (exposure.weight === undefined) return undefined;
  if (exposure.counts === 'visitors') {
    return exposure.share === undefined ? undefined : `${name} at ${percent(exposure.weight)}: ${endedShareText(exposure, canary, style)}`;
  }
  const requests = exposure.requests.stable + exposure.requests.canary;
  return requests === 0 ? undefined : `${name}: ${requestShareText(exposure, style)} were on ${canary}`;
}

/** Phases that last for as long as routes are being changed. */
const PASSING: readonly string[] = ['Completing', 'RollingBack', 'Superseded'];

/** What was said of a release, and what is said now. */
export interface Change {
  readonly lines: readonly string[];
  /** To be handed in with the next view. */
  readonly said: ReleaseView | undefined;
}

/**
 * Lines for what changed since `said` (undefined: first sight): none where only figures and time did, nor for the moment in which the
 * routes of a step are being changed.
 */
export function renderChange(
  said: ReleaseView | undefined,
  after: ReleaseView,
  now: number,
  style: Style,
  invocation: Invocation = PLAIN_INVOCATION,
): Change {
  if (said !== undefined && standing(said) === standing(after)) return { lines: [], said: after };
  // The figures of the step that ends are kept until the next one stands.
  if (after.status?.phase === 'Progressing' && after.status.stepStartedAt === undefined) return { lines: [], said };
  if (after.status !== undefined && PASSING.includes(after.status.phase)) return { lines: [], said };
  const { stable, canary } = versionsOf(after);
  const lines: string[] = [];
  const measured = said?.exposure;
  const isOver = said?.status?.step !== after.status?.step || (after.status?.phase !== 'Progressing' && after.status?.phase !== 'Paused');
  if (isOver && measured !== undefined) {
    const ended = endedText(after.metadata.name, canary, measured, style);
    if (ended !== undefined) lines.push(ended);
  }
  lines.push(`${after.metadata.name} ${stable} → ${canary}: ${phaseText(after, style)}, ${whereText(after, now, invocation)}`);
  return { lines, said: after };
}
