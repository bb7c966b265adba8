/** Longest wait that a timer takes, in ms: about 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** Aborts after so many ms; what is longer than a timer takes, after as long as it takes. */
export function deadline(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.min(Math.ceil(ms), LONGEST_MS));
}
