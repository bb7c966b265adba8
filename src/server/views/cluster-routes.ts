import { compareCreation } from '../../cluster/creation-order.ts';
import type { StoredObject } from '../../cluster/store.ts';
import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import { ROUTING_KINDS } from '../../core/istio/kinds.ts';
import { resolveHost, splitServiceHost } from '../../core/istio/names.ts';
import type { KubeObject, VirtualServiceSpec } from '../../core/istio/resources.ts';
import { validateRoutingObject } from '../../core/istio/validate.ts';
import { RoutingCompiler } from '../../core/routing/compile.ts';
import type { TriedRoutes } from './route-trial.ts';

/** The kinds that a trial in a cluster reads. */
export const TRIED_KINDS: readonly string[] = [...ROUTING_KINDS, HTTP_ROUTE];

/** Objects that a note names, at most. */
const MOST_NAMED = 3;

const ASSUMED =
  'Services of the cluster were not looked at: every host that a rule names, or that is asked for in the mesh, is taken for one, and endpoints are not known.';

/** What was compiled is kept for this long after the last trial, in ms: who tries one request tries several. */
const KEPT_MS = 300_000;

/**
 * The routes of a cluster, compiled as the embedded gateway would: for saying where a request would go. What is the same as at the trial before is not compiled
 * again, as thousands of rules take a second or two.
 */
export class ClusterRoutes {
  #kept: Kept | undefined;
  #forgetting: NodeJS.Timeout | undefined;

  /**
   * Of these objects, which are of `TRIED_KINDS`. Services of Kubernetes are not among them, so every host that a rule names, and the one that is asked for
   * (empty: none), is taken for one, without endpoints. Objects with fields that the embedded gateway does not know are left out, and so are HTTPRoutes; the notes say so.
   */
  of(stored: readonly StoredObject[], host: string, port: number): TriedRoutes {
    this.#kept ??= { compiler: new RoutingCompiler(), known: new WeakMap(), assumed: new Map() };
    const kept = this.#kept;
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => {
      this.#kept = undefined;
    }, KEPT_MS).unref();

    const found = stored.toSorted(compareCreation).map(({ served }) => served);
    const {
      httpRoutes = [],
      known = [],
      unknown = [],
    } = Object.groupBy(found, (object) => (object.kind === HTTP_ROUTE ? 'httpRoutes' : isKnown(object, kept.known) ? 'known' : 'unknown'));
    const { table } = kept.compiler.compile([...known, ...assumedServices(known, host, port, kept.assumed)]);
    const notes = [
      ASSUMED,
      ...leftOut(httpRoutes, 'trials know Istio’s own kinds only'),
      ...leftOut(unknown, 'Perch’s own gateway does not know all of their fields'),
    ];
    return { table, addresses: [], hidesEndpoints: true, notes };
  }
}

/** What of one trial the next one may use. */
interface Kept {
  readonly compiler: RoutingCompiler;
  /** Whether the gateway knows all fields of an object. */
  readonly known: WeakMap<KubeObject, boolean>;
  readonly assumed: Map<string, KubeObject>;
}

function isKnown(object: KubeObject, known: Kept['known']): boolean {
  const before = known.get(object);
  if (before !== undefined) return before;
  const isFine = !validateRoutingObject(object).some(({ severity }) => severity === 'error');
  known.set(object, isFine);
  return isFine;
}

/** Says that these were not looked at; nothing where there are none. */
export function leftOut(objects: readonly KubeObject[], why: string): readonly string[] {
  if (objects.length === 0) return [];
  const names = objects.slice(0, MOST_NAMED).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? 'default'}/${metadata.name}`);
  const more = objects.length - names.length;
  return [`Left out: ${names.join(', ')}${more === 0 ? '' : ` and ${more} more`}, because ${why}.`];
}

/** ServiceEntries for the hosts that nothing declares: those that rules name, and `host` (empty: none) at `port`. The same ones again where `before`, by name, has them. */
export function assumedServices(
  objects: readonly KubeObject[],
  host: string,
  port: number,
  before = new Map<string, KubeObject>(),
): readonly KubeObject[] {
  const declared = new Set(
    objects.flatMap(({ kind, spec }) => (kind === 'ServiceEntry' ? (spec as { hosts: readonly string[] }).hosts : [])),
  );
  const ports = new Map<string, Set<number>>();
  const assume = (name: string, more: number | undefined): void => {
    if (declared.has(name)) return;
    const known = ports.get(name) ?? new Set([port]);
    ports.set(name, more === undefined ? known : known.add(more));
  };
  if (host !== '') assume(resolveHost(host.toLowerCase(), 'default'), undefined);
  for (const { kind, metadata, spec } of objects) {
    if (kind !== 'VirtualService') continue;
    const destinations = ((spec as VirtualServiceSpec).http ?? []).flatMap(({ route = [] }) => route.map(({ destination }) => destination));
    for (const { host: named, port: at } of destinations) assume(resolveHost(named, metadata.namespace ?? 'default'), at?.number);
  }
  return [...ports].map(([name, numbers]) => {
    const listed = [...numbers].map((number) => ({ number, name: `http-${number}`, protocol: 'HTTP' }));
    const spec = { hosts: [name], ports: listed };
    const former = before.get(name);
    if (former !== undefined && JSON.stringify(former.spec) === JSON.stringify(spec)) return former;
    const namespace = splitServiceHost(name)?.namespace ?? 'default';
    const assumed = { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', metadata: { name, namespace }, spec };
    before.set(name, assumed);
    return assumed;
  });
}
