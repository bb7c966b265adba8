/**
 * How thorough properties are: `npm run test:all`, and a run of single files, make all runs that they are written for; `npm test`, which has to be
 * quick, a part of them. The seeds are fixed, so a part is always the same one.
 */
const share = (globalThis as { readonly perchPropertyShare?: number }).perchPropertyShare ?? 1;

/** So many runs of a property, or the part of them that this run of the tests makes. */
export function runs(full: number): number {
  return Math.ceil(full * share);
}

/** More often than this something has to come up in those runs. */
export function atLeast(full: number): number {
  if (share === 1) return full;
  const usual = Math.floor(full * share * 0.6);
  // As few runs as mutants get may have none at all of what is rare.
  if (share < 0.1 && usual < 3) return -1;
  return full < 60 ? 0 : usual;
}
