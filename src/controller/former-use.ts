import { refText } from '../cluster/manifest.ts';
import { rulesOf } from '../core/gateway-api/http-route.ts';
import type { Version } from '../core/release/canary-release.ts';
import { describeVersion, sameVersion } from '../core/release/version.ts';
import { leadsTo, serviceOf } from '../core/weave/released-destination.ts';
import { versionsAmong } from '../core/weave-http-route/backend.ts';
import type { StoredView } from './snapshot.ts';
import type { World } from './world.ts';

/** Which route, whoever's, still leads to a version as it is served, in a sentence; undefined where none does. */
export function formerUse(world: World, version: Version): string | undefined {
  const service = serviceOf(world.release);
  const inVirtualService = ({ served }: StoredView): boolean => leadsTo(served, service, version);
  const inHttpRoute = ({ ref, served }: StoredView): boolean => {
    const backends = rulesOf(served).flatMap(({ backendRefs = [] }) => backendRefs);
    return versionsAmong(backends, ref.namespace, service, [version]).some((each) => sameVersion(each, version));
  };
  const route = world.virtualServices.find(inVirtualService) ?? world.http.all.find(inHttpRoute);
  return route === undefined ? undefined : `${refText(route.ref)} still leads to ${describeVersion(version)}`;
}
