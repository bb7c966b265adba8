/** How many edits a word of this length may be away from a candidate that is still worth suggesting. */
function tolerance(length: number): number {
  if (length <= 2) return 1;
  return length <= 5 ? 2 : 3;
}

/**
 * Edits between two words: insertions, deletions, substitutions and swaps of neighbours, each counting one
 * (optimal string alignment, the restricted Damerau-Levenshtein distance).
 */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (previous[column - 1] ?? 0) + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/**
 * "Did you mean": the candidate that is most like the word, or undefined when none is near enough to be a help.
 * Case does not count; of equally near candidates the first wins.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  // A suggestion that shares no letter with the word would only confuse.
  let bestDistance = Math.min(tolerance(word.length), Math.max(word.length - 1, 1)) + 1;
  for (const candidate of candidates) {
    // Words whose lengths differ that much cannot win; the check bounds the work on hostile input.
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
