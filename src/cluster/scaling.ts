import type { ScaleOrder } from '../core/release/observed.ts';

/** Scales the Deployments of versions. */
export interface Scaling {
  /**
   * Carries an order out, if the Deployment has the replicas that the order goes by, and says what came of it; throws where that is not known. Whoever asks for
   * readiness afterwards is told of what it has by then.
   */
  scale(order: ScaleOrder): Promise<ScaleOutcome>;
}

/** `outdated`: somebody else changed the Deployment meanwhile, and nothing was done. `refused`: it will not be, for the reason given. */
export type ScaleOutcome = { readonly kind: 'done' | 'outdated' } | { readonly kind: 'refused'; readonly reason: string };
