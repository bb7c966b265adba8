import type { CanaryRelease } from '../release/canary-release.ts';
import type { Cohort } from '../visitor/cohort.ts';
import type { Claim } from './claim.ts';
import type { Draw } from './cohort-cells.ts';
import type { HeaderAddition } from './header-additions.ts';

/** What one release of `affinity.mode: visitor` has to do with a rule at the gateway. Releases that share a rule agree in how ids are issued. */
export interface GatewayPart {
  readonly release: CanaryRelease;
  /** Undefined where the release divides nobody. */
  readonly draw: Draw | undefined;
  /** Who is on a cohort without regard to the draw, in the order in which it is asked. */
  readonly claims: readonly Claim[];
  /** What tells later hops the cohort; empty where they are not told. */
  stamp(cohort: Cohort): readonly HeaderAddition[];
  /** What issues an id. */
  readonly issue: readonly HeaderAddition[];
}
