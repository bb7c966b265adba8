import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import { describeHttpRoute, type HttpRoute, httpRouteOf, type RouteParentStatus } from './http-route.ts';

/** The controller of Istio's gateways (GatewayClass.spec.controllerName): its Envoys fill in `%REQ()%` in a header that a route adds. */
const ISTIO_GATEWAYS = 'istio.io/gateway-controller';

/** Of the status of an HTTPRoute who takes it, or does not: the rest changes with every write. */
export function acceptanceOf(object: KubeObject): HttpRoute['status'] {
  const { parents = [] } = httpRouteOf(object).status ?? {};
  return {
    parents: parents.map(({ parentRef, controllerName, conditions = [] }): RouteParentStatus => {
      const accepted = conditions.filter(({ type }) => type === 'Accepted');
      return {
        parentRef,
        controllerName,
        conditions: accepted.map(({ type, status, message }) => (message === undefined ? { type, status } : { type, status, message })),
      };
    }),
  };
}

/**
 * What speaks against releases in an HTTPRoute as its gateways have it (PERCH2033): nobody took it, or somebody who is not Istio, and would send visitors the
 * literal text `%REQ(x-request-id)%` for an id. Nothing where there is no status at all, as in files: a cluster's store keeps one of every route.
 */
export function acceptanceFindings(object: KubeObject): readonly Diagnostic[] {
  const { status } = httpRouteOf(object);
  if (status === undefined) return [];
  const { parents = [] } = status;
  const others = [...new Set(parents.map(({ controllerName }) => controllerName))].filter((name) => name !== ISTIO_GATEWAYS);
  const foreign = others.map((name) =>
    refused(
      object,
      `${describeHttpRoute(object)} is served by ${name}: visitor ids can be issued by ${ISTIO_GATEWAYS} only`,
      'let only Gateways of a class of Istio serve it: others send %REQ(x-request-id)% as it is, and do not say in which order they route',
    ),
  );
  if (foreign.length > 0) return foreign;
  const isAccepted = parents.some(({ conditions = [] }) => conditions.some(({ type, status }) => type === 'Accepted' && status === 'True'));
  if (isAccepted) return [];
  const [said] = parents.flatMap(({ conditions = [] }) => conditions.flatMap(({ message }) => message ?? []));
  const why = said === undefined ? 'no gateway has taken it yet' : said;
  return [
    refused(
      object,
      `${describeHttpRoute(object)} is not served: ${why}`,
      'name a Gateway of a class of Istio in its parentRefs, one that takes it',
    ),
  ];
}

function refused(object: KubeObject, message: string, hint: string): Diagnostic {
  return { code: 'PERCH2033', severity: 'error', message, object: describeHttpRoute(object), path: 'status.parents', hint };
}
