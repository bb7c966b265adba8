import type { KubeObject } from '../../src/core/istio/resources.ts';
import { istio } from '../harness/istio-object.ts';

/** The rules of reviews as an owner writes them: as if no release were under way. */
export const rules = (subset = 'v1', extra: object = {}): readonly unknown[] => [
  { ...extra, route: [{ destination: { host: 'reviews', subset } }] },
];

/** Three ways for the release to come to its VirtualService; for `delegate` a root is there beside it. */
export const adopt = (virtualService = 'reviews') => ({ route: { adopt: { virtualService } } });
/** The release owns all of it; called like the release unless named. */
export const managed = (http = rules(), name?: string) => ({
  route: { managed: { ...(name === undefined ? {} : { name }), hosts: ['reviews'], http } },
});
/** The release owns the delegate of `root()`. */
export const delegate = (http = rules(), name = 'reviews-perch') => ({ route: { delegate: { name, http } } });

/** The VirtualService of the host that hands everything on to a delegate. */
export function root(name = 'reviews', to = 'reviews-perch'): KubeObject {
  return istio('VirtualService', name, { hosts: ['reviews'], http: [{ delegate: { name: to } }] });
}
