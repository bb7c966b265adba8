import type { Kind } from './kinds.ts';

/** That no object of these kinds is there, as a sentence without its full stop; `namespace` undefined: in none of them. */
export function noneThere(kinds: readonly Kind[], namespace: string | undefined): string {
  const what = kinds.length === 1 ? kinds[0] : 'object';
  return `there is no ${what} in ${namespace === undefined ? 'any namespace' : `namespace ${namespace}`}`;
}
