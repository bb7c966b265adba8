import type { HeaderMatch, HTTPMatchRequest } from '../istio/resources.ts';
import type { Cohort } from '../visitor/cohort.ts';
import type { HeaderAddition } from './header-additions.ts';

/** A condition on one header; several may be on the same one. */
export type HeaderCondition = readonly [name: string, match: HeaderMatch];

/** Requests whose cohort is not decided by the visitor's bucket: someone chose it, or the release picks them. */
export interface Claim {
  readonly headers: readonly HeaderCondition[];
  readonly queryParams: NonNullable<HTTPMatchRequest['queryParams']>;
  readonly cohort: Cohort;
  readonly additions: readonly HeaderAddition[];
}

/**
 * Conditions as a match has them. A map holds one per name; Envoy compares header names without regard to case (`LowerCaseString`), and Istio
 * passes them on as they are written, so each further condition on a header has one more capital: `cookie`, `Cookie`, `COokie`.
 */
export function conditionsByName(conditions: readonly HeaderCondition[]): Readonly<Record<string, HeaderMatch>> {
  const counts = new Map<string, number>();
  return Object.fromEntries(
    conditions.map(([name, match]) => {
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      return [withCapitals(name, count), match];
    }),
  );
}

/** The name with so many of its first letters as capitals. */
function withCapitals(name: string, count: number): string {
  let left = count;
  return name.replaceAll(/[a-z]/g, (letter) => (left-- > 0 ? letter.toUpperCase() : letter));
}
