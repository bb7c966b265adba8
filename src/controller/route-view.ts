import type { ObjectRef, StoredObject } from '../cluster/store.ts';
import type { KubeObject } from '../core/istio/resources.ts';

/** A VirtualService as a release sees it. */
export interface RouteView {
  readonly ref: ObjectRef;
  /** As its owner wants it: where that is the release, as its spec declares it, whatever is stored. */
  readonly base: KubeObject;
  /** As it is served; where it is not there yet, its base. */
  readonly served: KubeObject;
  /** Undefined where the release has yet to create it. */
  readonly stored: StoredObject | undefined;
  /** Whether the spec declares it. */
  readonly isOwned: boolean;
}
