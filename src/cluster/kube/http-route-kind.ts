import { HTTP_ROUTE, HTTP_ROUTE_API } from '../../core/gateway-api/http-route.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { DescribedKind } from './described-kind.ts';
import type { KubeClient, KubeError } from './kube-client.ts';
import { OptionalKind } from './optional-kind.ts';
import type { Reflector } from './reflector.ts';

/** Name of the CustomResourceDefinition. */
const DEFINITION = 'httproutes.gateway.networking.k8s.io';
/** https://gateway-api.sigs.k8s.io/concepts/crd-management: the release that a definition is of. */
const BUNDLE_VERSION = 'gateway.networking.k8s.io/bundle-version';

/** How HTTPRoutes are reflected, and who is told what. */
interface HttpRouteOptions {
  readonly client: KubeClient;
  readonly begin: () => readonly Reflector[];
  readonly failed: (error: KubeError, againInMs: number) => void;
  /** The cluster has the kind, but in a version that releases cannot be woven into. */
  readonly tooOld: () => void;
}

/** Reflects HTTPRoutes while the cluster has the kind, in a version that releases can be woven into; `ended`: it has it no longer. */
export function watchHttpRoutes({ tooOld, ...options }: HttpRouteOptions & { readonly ended: () => void }): OptionalKind {
  return new OptionalKind({ ...options, definition: DEFINITION, isUsable: (definition) => isNewEnough(hasRuleNames(definition), tooOld) });
}

/** The same with the rights of single namespaces: where the cluster has the kind now. */
export function findHttpRoutes({ tooOld, ...options }: HttpRouteOptions): DescribedKind {
  return new DescribedKind({
    ...options,
    apiVersion: HTTP_ROUTE_API,
    kind: HTTP_ROUTE,
    isUsable: ({ properties }) =>
      isNewEnough(properties?.['spec']?.properties?.['rules']?.items?.properties?.['name'] !== undefined, tooOld),
  });
}

function isNewEnough(hasNames: boolean, tooOld: () => void): boolean {
  if (!hasNames) tooOld();
  return hasNames;
}

/** Whether rules of HTTPRoutes have names: in Gateway API from 1.4 on. A definition that does not say of which release it is, is taken to be a new one. */
function hasRuleNames({ metadata: { annotations } }: KubeObject): boolean {
  const version = /^v(\d+)\.(\d+)\./.exec(annotations?.[BUNDLE_VERSION] ?? '');
  if (version === null) return true;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > 1 || minor >= 4;
}
