import { refOf, sameRef } from '../../cluster/manifest.ts';
import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import { isRoutingKind } from '../../core/istio/kinds.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { isCanaryRelease, validateCanaryRelease } from '../../core/release/validate.ts';
import { compileRouting } from '../../core/routing/compile.ts';
import { assumedServices, leftOut } from '../../server/views/cluster-routes.ts';
import { type TrialAnswer, type TriedRoutes, tryRequest } from '../../server/views/route-trial.ts';
import type { AskedTrial } from '../../server/views/trial-request.ts';

const ASSUMED =
  'The files declare no ServiceEntry, as for a cluster: every host that a rule names, or that is asked for in the mesh, is taken for a Service, and endpoints are not known.';

const NOT_BEGUN = 'The releases of the files have not begun here: --step N shows their routes at a step.';

/** Tries a request on the routes of files, as `perch serve` would route it with them; `woven` stand in for those of the files that have their names. */
export function tryInFiles(asked: AskedTrial, objects: readonly KubeObject[], woven: readonly KubeObject[]): Promise<TrialAnswer> {
  const kept = objects.filter((object) => !woven.some((other) => sameRef(refOf(object), refOf(other))));
  const releases = objects.filter(isCanaryRelease);
  const notes = releases.length > 0 && woven.length === 0 ? [NOT_BEGUN] : [];
  return tryRequest(asked, {
    carriers: releases.flatMap((object) => validateCanaryRelease(object).release?.spec ?? []),
    routes: async (host, port) => {
      const routes = routesOf([...kept, ...woven], host, port);
      return { ...routes, notes: [...notes, ...routes.notes] };
    },
  });
}

function routesOf(objects: readonly KubeObject[], host: string, port: number): TriedRoutes {
  const routing = objects.filter(({ kind }) => isRoutingKind(kind));
  const httpRoutes = objects.filter(({ kind }) => kind === HTTP_ROUTE);
  const isWhole = routing.some(({ kind }) => kind === 'ServiceEntry');
  const { table } = compileRouting(isWhole ? routing : [...routing, ...assumedServices(routing, host, port)]);
  const notes = [...(isWhole ? [] : [ASSUMED]), ...leftOut(httpRoutes, 'trials know Istio’s own kinds only')];
  return { table, addresses: [], hidesEndpoints: !isWhole, notes };
}
