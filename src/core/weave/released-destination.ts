import { resolveHost } from '../istio/names.ts';
import type { Destination, HTTPRoute, KubeObject } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import { sameVersion } from '../release/version.ts';
import { routeObject } from './route-object.ts';

/** The service that is released, as written in the release of `namespace`. */
export interface ReleasedService {
  readonly namespace: string;
  readonly host: string;
  readonly port: number;
}

/** The service of a release. */
export function serviceOf({ metadata, spec }: Pick<CanaryRelease, 'metadata' | 'spec'>): ReleasedService {
  return { namespace: metadata.namespace, host: spec.service.host, port: spec.service.port };
}

/**
 * Where a destination of the base stands: `released` (the service without a subset, or one of the versions that visitors had or have),
 * `pinned` (another subset of the service: somebody's explicit choice), or `elsewhere`.
 */
export type Standing = 'released' | 'pinned' | 'elsewhere';

/** Judges a destination of an object in `namespace`; `versions` are the stable, live and formerly live ones. */
export function standingOf(destination: Destination, namespace: string, service: ReleasedService, versions: readonly Version[]): Standing {
  if (isService(destination, namespace, service)) {
    const subset = destination.subset ?? '';
    return subset === '' || versions.some((version) => 'subset' in version && version.subset === subset) ? 'released' : 'pinned';
  }
  const released = versions.some((version) => isAtHost(destination, namespace, service, version));
  return released && (destination.subset ?? '') === '' ? 'released' : 'elsewhere';
}

/**
 * The destination at a version: a subset replaces the subset (and leads back to the service where the base named a host version); a host
 * replaces host, port and subset. Other fields stay.
 */
export function atVersion(destination: Destination, namespace: string, service: ReleasedService, version: Version): Destination {
  if ('host' in version) {
    const { subset: _, ...rest } = destination;
    return { ...rest, host: version.host, port: { ...destination.port, number: version.port ?? service.port } };
  }
  if (isService(destination, namespace, service)) return { ...destination, subset: version.subset };
  return { ...destination, host: service.host, port: { ...destination.port, number: service.port }, subset: version.subset };
}

/**
 * The one version that all of the base's destinations at the service name; undefined when they name none, several, or there is no such
 * destination. Hosts that are versions are recognised among `candidates`.
 */
export function baseVersion(base: KubeObject, service: ReleasedService, candidates: readonly Version[]): Version | undefined {
  const named = namedVersions(base, service, candidates);
  const [first] = named;
  return named.every((version) => sameVersion(version, first)) ? first : undefined;
}

/** What each of the base's destinations at the service names: a version, or none. `candidates` as for `baseVersion`. */
export function namedVersions(
  base: KubeObject,
  service: ReleasedService,
  candidates: readonly Version[],
): readonly (Version | undefined)[] {
  const route = routeObject(base, service.namespace);
  const destinations = (route.spec.http ?? []).flatMap((rule) => (rule.route ?? []).map((target) => target.destination));
  return destinations.flatMap((destination): (Version | undefined)[] => {
    const host = candidates.find((version) => isAtHost(destination, route.namespace, service, version));
    if (host !== undefined) return [host];
    if (!isService(destination, route.namespace, service)) return [];
    return [(destination.subset ?? '') === '' ? undefined : { subset: destination.subset ?? '' }];
  });
}

/**
 * The versions that the base's released destinations lead to, each once; `versions` as for `standingOf`. A destination without a subset
 * leads to all endpoints of the service: that is the service itself as a host.
 */
export function releasedVersions(base: KubeObject, service: ReleasedService, versions: readonly Version[]): readonly Version[] {
  const route = routeObject(base, service.namespace);
  const destinations = (route.spec.http ?? []).flatMap((rule) => (rule.route ?? []).map((target) => target.destination));
  const found: Version[] = [];
  for (const destination of destinations) {
    if (standingOf(destination, route.namespace, service, versions) !== 'released') continue;
    const subset = destination.subset ?? '';
    const version = subset === '' ? { host: destination.host, port: destination.port?.number ?? service.port } : { subset };
    if (!found.some((known) => sameVersion(known, version))) found.push(version);
  }
  return found;
}

/**
 * The base with every released destination at one version, and nothing else changed; `versions` as for `standingOf`. Rules that draw between
 * several destinations are left alone, as by weaving.
 */
export function baseAtVersion(base: KubeObject, service: ReleasedService, versions: readonly Version[], version: Version): KubeObject {
  const { namespace, spec } = routeObject(base, service.namespace);
  const http = spec.http?.map((rule): HTTPRoute => {
    if (rule.route?.length !== 1) return rule;
    const route = rule.route.map((target) => {
      const isReleased = standingOf(target.destination, namespace, service, versions) === 'released';
      return isReleased ? { ...target, destination: atVersion(target.destination, namespace, service, version) } : target;
    });
    return { ...rule, route };
  });
  return { ...base, spec: { ...spec, ...(http === undefined ? {} : { http }) } };
}

/** Whether any destination of a VirtualService, also one of TCP or a mirror, is this version, at whatever port. */
export function leadsTo(object: KubeObject, service: ReleasedService, version: Version): boolean {
  const { namespace } = routeObject(object, service.namespace);
  const wanted = resolveHost('host' in version ? version.host : service.host, service.namespace);
  return destinationsIn(object.spec).some(
    ({ host, subset }) => resolveHost(host, namespace) === wanted && ('host' in version || subset === version.subset),
  );
}

function destinationsIn(value: unknown): readonly Destination[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): readonly Destination[] => {
    const isOne = (key === 'destination' || key === 'mirror') && typeof inner === 'object' && inner !== null && 'host' in inner;
    return isOne ? [inner as Destination] : destinationsIn(inner);
  });
}

function isService(destination: Destination, namespace: string, service: ReleasedService): boolean {
  if (destination.port !== undefined && destination.port.number !== service.port) return false;
  if (destination.host === service.host && namespace === service.namespace) return true;
  return resolveHost(destination.host, namespace) === resolveHost(service.host, service.namespace);
}

function isAtHost(destination: Destination, namespace: string, service: ReleasedService, version: Version): boolean {
  if (!('host' in version)) return false;
  const sameHost = resolveHost(destination.host, namespace) === resolveHost(version.host, service.namespace);
  return sameHost && (destination.port === undefined || destination.port.number === (version.port ?? service.port));
}
