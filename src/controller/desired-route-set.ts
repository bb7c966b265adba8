import type { RouteChange } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';

/** What the routes are to be, and what was found on the way. */
export interface DesiredRoutes {
  /** All objects that the release is, was or is to be woven into, those that are right already included. */
  readonly routes: readonly RouteChange[];
  /** Whether they send visitors where the plan says; false where there is no plan, or nothing could be woven. */
  readonly carryPlan: boolean;
  /** Findings about the bases as they are now; with an error among them they could not be woven. */
  readonly diagnostics: readonly Diagnostic[];
}
