import { refOf, refText } from '../cluster/manifest.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { boundGateways, MESH_GATEWAY, resolveHost, splitServiceHost } from '../core/istio/names.ts';
import type { VirtualServiceSpec } from '../core/istio/resources.ts';
import { routedPath } from '../core/release/route-form.ts';
import type { World } from './world.ts';

/** Something of another namespace that a release goes by, and the field that leads there. */
interface Reference {
  readonly what: string;
  readonly namespace: string;
  readonly path: string;
}

/**
 * PERCH3061 for each namespace that is not read (`perch controller --watch-namespace`) and holds what a release has to go by: a gateway, whose protocol
 * and hosts decide about cookies and neighbours, or the endpoints of a version. What is not seen must not be taken for not being there.
 */
export function unreadNamespaces(world: World): readonly Diagnostic[] {
  const unread = [...gatewaysOf(world), ...servicesOf(world)].filter(({ namespace }) => !world.isRead(namespace));
  return unread
    .filter(({ namespace }, index) => unread.findIndex((each) => each.namespace === namespace) === index)
    .map(({ what, namespace, path }) => ({
      code: 'PERCH3061',
      severity: 'error',
      message: `${what} is in the namespace ${namespace}, which this controller does not read`,
      object: refText(refOf(world.release)),
      path,
      hint: `start perch controller with --read-namespace ${namespace}, and let it read there (deploy/namespaced/read/rbac.yaml)`,
    }));
}

function gatewaysOf({ routed, issuing, release }: World): readonly Reference[] {
  const views = [
    { view: routed, path: routedPath(release) },
    { view: issuing, path: 'spec.visitorId.issueAt' },
  ];
  return views.flatMap(({ view, path }) => {
    if (view === undefined) return [];
    const { gateways, hosts = [] } = (view.base.spec ?? {}) as Partial<VirtualServiceSpec>;
    // A delegate is bound by its roots alone.
    if (hosts.length === 0) return [];
    return boundGateways(gateways, view.ref.namespace)
      .filter((name) => name !== MESH_GATEWAY)
      .map((name) => ({ what: `Gateway ${name}`, namespace: name.slice(0, name.indexOf('/')), path }));
  });
}

function servicesOf({ release: { metadata, spec } }: World): readonly Reference[] {
  const { service, canary, stable } = spec;
  const hosts = [
    { host: service.host, path: 'spec.service.host' },
    ...('host' in canary ? [{ host: canary.host, path: 'spec.canary.host' }] : []),
    ...(stable !== undefined && 'host' in stable ? [{ host: stable.host, path: 'spec.stable.host' }] : []),
  ];
  return hosts.flatMap(({ host, path }) => {
    const parts = splitServiceHost(resolveHost(host, metadata.namespace));
    return parts === undefined ? [] : [{ what: `Service ${parts.namespace}/${parts.name}`, namespace: parts.namespace, path }];
  });
}
