import { hitWithin } from './binomial.ts';
import type { Stickiness } from './stickiness.ts';

/** What the verdict rests on, for a finding. */
export function evidenceSentence({ canary, moves, drift }: Stickiness): string {
  const name = canary?.version ?? '';
  const moved = `${moves.toCanary} of ${moves.fromStable} returns of visitors who were not on ${name} led to it`;
  return `${moved}, ${moves.back} of ${moves.fromCanary} returns of those who were led away from it; cookies were kept, and ${percent(drift[0]?.share ?? 0)} of first visits were on ${name}`;
}

/** The verdict in words: what happens to visitors, with the numbers it rests on; one sentence or two. */
export function verdictSentence(stickiness: Stickiness): string {
  const { verdict, canary, drift, moves, firstVisits, versions } = stickiness;
  const name = canary?.version ?? '';
  const first = drift[0]?.share ?? 0;
  switch (verdict) {
    case 'pinsVisitor':
      return `Pins the visitor: ${percent(first)} of ${firstVisits} visitors were on ${name} at first sight, and nobody moved in ${moves.fromStable + moves.fromCanary} returns.`;
    case 'pinsOutcome': {
      const last = drift.at(-1);
      const reached = last === undefined ? '' : ` ${percent(last.share)} of visitors in ${requestsText(last.requests)}`;
      return `Pins the outcome, not the visitor: a canary of ${percent(first)} reaches${reached}, and ${percent(hitWithin(first, 10))} in ten if each request is drawn.`;
    }
    case 'moving':
      return `Visitors moved to ${name} while they were probed, ${moves.toCanary} in ${moves.fromStable} returns; a draw at each request does not explain so ${isFewer(stickiness) ? 'few' : 'many'}. The release widened, or what pins stable visitors ends soon.`;
    case 'notSticky': {
      const left = moves.back / moves.fromCanary;
      return `Not sticky: ${moves.back} of ${moves.fromCanary} returns of visitors on ${name} (${percent(left)}) led away from it, though they kept their cookies.`;
    }
    case 'oneVersion': {
      const [only] = versions;
      const what =
        versions.length === 1 && only !== undefined ? `Only one version seen (${only.version})` : 'The canary that you name was never seen';
      return `${what}: among ${firstVisits} first visits a canary of ${percent(stickiness.smallestSeen)} or more would have shown itself, with a chance of 95 %.`;
    }
    case 'undecided':
      return `Too little was seen to judge: visitors stayed where they were in ${moves.fromStable + moves.fromCanary} returns, but draws at each request would often look the same.`;
    case 'untold':
      return versions.length === 0
        ? 'The versions cannot be told apart: nothing differs between answers that could name a version.'
        : `The versions cannot be told apart: what was to tell them has ${versions.length} values.`;
  }
}

function isFewer({ moves, firstVisits, drift }: Stickiness): boolean {
  return moves.toCanary / moves.fromStable < (drift[0]?.seen ?? 0) / firstVisits;
}

function requestsText(count: number): string {
  return count === 1
    ? 'one request'
    : `${['', '', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'][count] ?? count} requests`;
}

/** A share in [0, 1] as a percentage with one digit behind the point; without it only where it is all or nothing. */
export function percent(share: number): string {
  return share === 0 || share === 1 ? `${100 * share} %` : `${(100 * share).toFixed(1)} %`;
}
