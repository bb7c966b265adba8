import { deviation, hitWithin, type Interval, smallestSeen, wilsonInterval } from './binomial.ts';
import { documentAnswers, type Observations } from './observations.ts';
import type { VersionTelling } from './version-telling.ts';

/** How many visitors have seen the canary after so many requests, and what two schemes with the same first visits would show. */
export interface DriftRow {
  readonly requests: number;
  /** Visitors who sent so many. */
  readonly visitors: number;
  readonly seen: number;
  readonly share: number;
  /** Where each visitor is drawn once: the weights that explain the first visits, 95 %. */
  readonly pinned: Interval;
  /** Where each request without the canary's mark is drawn: the same weights, after so many draws. */
  readonly drawn: Interval;
}

/** What visitors did from one request to the next, cookies kept. */
export interface Moves {
  /** Returns of those whose last answer was not the canary's, and how many of them led to the canary. */
  readonly fromStable: number;
  readonly toCanary: number;
  /** Returns of those whose last answer was the canary's, and how many of them led away from it. */
  readonly fromCanary: number;
  readonly back: number;
}

/**
 * `pinsVisitor`: nobody moved. `pinsOutcome`: visitors move to the canary as if drawn at each request, and stay. `moving`: they move to it,
 * but not as such draws would. `notSticky`: they also leave it. `oneVersion`: there is nothing to tell apart. `undecided`: too little was
 * seen. `untold`: the answers do not tell their versions.
 */
export type VerdictKind = 'pinsVisitor' | 'pinsOutcome' | 'moving' | 'notSticky' | 'oneVersion' | 'undecided' | 'untold';

/** The versions of a probe, and how visitors moved between them. */
export interface Stickiness {
  readonly verdict: VerdictKind;
  /** Every version with how many first visits had it, the most frequent first. */
  readonly versions: readonly { readonly version: string; readonly firstVisits: number }[];
  /** Which version is taken for the canary, and why; undefined where there are not two. */
  readonly canary: { readonly version: string; readonly why: string } | undefined;
  /** New visitors whose first answer told a version. */
  readonly firstVisits: number;
  readonly drift: readonly DriftRow[];
  readonly moves: Moves;
  /** The smallest weight of a canary that first visits would have shown, with probability 95 %. */
  readonly smallestSeen: number;
}

/** Beyond this many standard deviations (one in a thousand) moves are not the draws that first visits show. */
const Z_BOUND = 3.29;
/** The chance up to which it may be an accident that nobody moved. */
const ACCIDENT = 0.01;

/** A source with more values than this tells visitors apart, or moments, not versions. */
const MOST_VERSIONS = 8;

/** Judges how a site treats returning visitors. `canary`: the version that the user calls so. */
export function judgeStickiness(seen: Observations, telling: VersionTelling, canary?: string): Stickiness {
  const visitors = seen.visitors.map((answers) => answers.flatMap((answer) => telling.of(answer) ?? [])).filter(({ length }) => length > 0);
  const versions = countVersions(
    visitors,
    documentAnswers(seen).flatMap((answer) => telling.of(answer) ?? []),
  );
  const chosen = versions.length > MOST_VERSIONS ? undefined : chooseCanary(visitors, versions, canary);
  const isCanary = (version: string | undefined): boolean => version !== undefined && version === chosen?.version;
  const moves = countMoves(visitors, isCanary);
  const drift = chosen === undefined ? [] : driftOf(visitors, seen.requestsEach, isCanary);
  const first = visitors.filter(([version]) => isCanary(version)).length;
  return {
    verdict: verdictOf(versions.length, chosen !== undefined, visitors.length, first, moves),
    versions,
    canary: chosen,
    firstVisits: visitors.length,
    drift,
    moves,
    smallestSeen: smallestSeen(visitors.length),
  };
}

type Path = readonly string[];

/** `all`: those that any visitor was shown, the special ones too. */
function countVersions(visitors: readonly Path[], all: readonly string[]): Stickiness['versions'] {
  const counts = new Map(all.map((version) => [version, 0]));
  for (const [first] of visitors) if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1);
  return [...counts]
    .map(([version, firstVisits]) => ({ version, firstVisits }))
    .toSorted((a, b) => b.firstVisits - a.firstVisits || (a.version < b.version ? -1 : 1));
}

/** Where nobody names it: the version that visitors move to and never leave, else the second most frequent at first visits. */
function chooseCanary(visitors: readonly Path[], versions: Stickiness['versions'], named: string | undefined): Stickiness['canary'] {
  if (named !== undefined) return versions.some(({ version }) => version === named) ? { version: named, why: 'as you say' } : undefined;
  const [, rarer] = versions;
  if (rarer === undefined) return undefined;
  const oneWay = versions.filter(({ version }) => {
    const { toCanary, back } = countMoves(visitors, (each) => each === version);
    return toCanary > 0 && back === 0;
  });
  const [only] = oneWay;
  if (oneWay.length === 1 && only !== undefined) return { version: only.version, why: 'visitors move to it and never leave it' };
  return { version: rarer.version, why: versions.length > 2 ? 'the second most frequent at first visits' : 'the rarer at first visits' };
}

function countMoves(visitors: readonly Path[], isCanary: (version: string) => boolean): Moves {
  const moves = { fromStable: 0, toCanary: 0, fromCanary: 0, back: 0 };
  for (const path of visitors) {
    for (const [index, version] of path.entries()) {
      const before = path[index - 1];
      if (before === undefined) continue;
      if (isCanary(before)) {
        moves.fromCanary++;
        if (!isCanary(version)) moves.back++;
      } else {
        moves.fromStable++;
        if (isCanary(version)) moves.toCanary++;
      }
    }
  }
  return moves;
}

function driftOf(visitors: readonly Path[], requestsEach: number, isCanary: (version: string) => boolean): readonly DriftRow[] {
  const pinned = wilsonInterval(visitors.filter(([version]) => version !== undefined && isCanary(version)).length, visitors.length);
  return Array.from({ length: requestsEach }, (_, index) => index + 1).flatMap((requests) => {
    const those = visitors.filter(({ length }) => length >= requests);
    if (those.length === 0) return [];
    const seen = those.filter((path) => path.slice(0, requests).some(isCanary)).length;
    const drawn: Interval = [hitWithin(pinned[0], requests), hitWithin(pinned[1], requests)];
    return [{ requests, visitors: those.length, seen, share: seen / those.length, pinned, drawn }];
  });
}

function verdictOf(versions: number, hasCanary: boolean, visitors: number, first: number, moves: Moves): VerdictKind {
  if (versions === 0 || versions > MOST_VERSIONS) return 'untold';
  if (versions === 1 || !hasCanary) return 'oneVersion';
  if (moves.back > 0) return 'notSticky';
  if (moves.toCanary === 0) {
    // Had each return been drawn with the first visits' share, this is the chance that all of them missed the canary.
    const accident = (1 - first / Math.max(visitors, 1)) ** moves.fromStable;
    return moves.fromCanary === 0 || accident > ACCIDENT ? 'undecided' : 'pinsVisitor';
  }
  return Math.abs(deviation(moves.toCanary, moves.fromStable, first, visitors)) > Z_BOUND ? 'moving' : 'pinsOutcome';
}
