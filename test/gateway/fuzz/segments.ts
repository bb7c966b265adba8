import type { Draw } from './draw.ts';

/** The bytes cut at places that are drawn: each by itself (once in `singly`), or in a few pieces. */
export function segments(bytes: Buffer, draw: Draw, singly = 8): readonly Buffer[] {
  if (draw.oneIn(singly) && bytes.length <= 600) return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  const cuts = [...new Set(Array.from({ length: 1 + draw.below(5) }, () => draw.below(bytes.length + 1)))].sort(
    (left, right) => left - right,
  );
  return [...cuts, bytes.length].map((end, index) => bytes.subarray(cuts[index - 1] ?? 0, end)).filter((piece) => piece.length > 0);
}
