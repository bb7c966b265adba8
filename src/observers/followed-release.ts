import type { StoredObject } from '../cluster/store.ts';
import type { RequestEvent } from '../core/evidence/request-event.ts';
import { resolveHost } from '../core/istio/names.ts';
import { canaryReleaseSpec, type Version } from '../core/release/canary-release.ts';
import type { ReleaseStatus } from '../core/release/status.ts';
import type { Cohort } from '../core/visitor/cohort.ts';
import { type VisitorCookie, visitorCookie } from '../core/visitor/visitor-id.ts';
import type { RuledCohort } from '../core/weave/rule-name.ts';

type Destination = NonNullable<RequestEvent['destination']>;

/** What the observer needs to know of a release to read request events; immutable. */
export interface FollowedRelease {
  /** `namespace/name`. */
  readonly name: string;
  /** Changes when another release begins on the object. */
  readonly run: string;
  /** Changes when visitors are routed otherwise than before. */
  readonly step: string;
  readonly cookie: VisitorCookie;
  /** The header that says whose a request is; undefined where the cookie does. */
  readonly idHeader: string | undefined;
  /** Which requests without an id get one at the edge. */
  readonly issueOn: 'documents' | 'all';
  /** What can be counted: visitors, unless those on stable carry nothing that tells them apart (`affinity.mode: canaryOnly`). */
  readonly counts: 'visitors' | 'requests';
  /** Percent, and 0..4096, while visitors are split; undefined before and after. */
  readonly weight: number | undefined;
  readonly cutoff: number | undefined;
  /** The cohort whose version the destination is; `ruled` is what the rule's name says, for versions that are neither. */
  cohortServed(destination: Destination, ruled: RuledCohort): Cohort;
  /** The cohort that the edge decided on by a rule of that name: once all are on one version, that one. */
  cohortDecided(ruled: Cohort): Cohort;
}

/** Reads a CanaryRelease as the store holds it; undefined before its first run, and for what is none. */
export function followRelease({ ref, base, status }: StoredObject): FollowedRelease | undefined {
  if (status?.stable === undefined || status.canary === undefined || status.phase === 'Pending') return undefined;
  // The store keeps what its owner wrote, without defaults.
  const spec = canaryReleaseSpec.safeParse(base.spec);
  if (!spec.success) return undefined;
  const { namespace } = ref;
  const { service } = spec.data;
  const serviceHost = resolveHost(service.host, namespace);
  const isVersion = (version: Version): ((destination: Destination) => boolean) => {
    if ('subset' in version) return ({ host, subset, port }) => host === serviceHost && subset === version.subset && port === service.port;
    const versionHost = resolveHost(version.host, namespace);
    const versionPort = version.port ?? service.port;
    return ({ host, port }) => host === versionHost && port === versionPort;
  };
  const isCanary = isVersion(status.canary);
  const isStable = isVersion(status.stable);
  const versionOf = (destination: Destination): Cohort | undefined =>
    isCanary(destination) ? 'canary' : isStable(destination) ? 'stable' : undefined;
  // Routes keep their destinations, and few are in use at a time: their texts are compared once.
  const versions = new WeakMap<Destination, Cohort | 'neither'>();
  const settled = settledOn(status);
  const split = settled === undefined;
  return {
    name: `${namespace}/${ref.name}`,
    run: `${status.started} ${status.startedAt ?? ''}`,
    step: `${status.step} ${status.cutoff} ${status.stepStartedAt ?? ''} ${settled ?? ''}`,
    cookie: visitorCookie(spec.data.visitorId.cookie.name, status.offset),
    idHeader: spec.data.visitorId.from?.header,
    issueOn: spec.data.visitorId.issueOn,
    counts: status.canaryCookie === undefined ? 'visitors' : 'requests',
    weight: split ? status.weight : undefined,
    cutoff: split ? status.cutoff : undefined,
    // By what is served, not by the rule's name alone: after a release all rules lead to the live version.
    cohortServed: (destination, ruled) => {
      let version = versions.get(destination);
      if (version === undefined) {
        version = versionOf(destination) ?? 'neither';
        versions.set(destination, version);
      }
      if (version !== 'neither') return version;
      // A draw leads to one of the two versions, wherever it leads.
      return ruled === 'drawn' ? 'stable' : ruled;
    },
    cohortDecided: (ruled) => settled ?? ruled,
  };
}

/** Where everyone is sent; undefined while visitors are split. */
function settledOn(status: ReleaseStatus): Cohort | undefined {
  switch (status.phase) {
    case 'Completing':
    case 'Succeeded':
      return 'canary';
    case 'RollingBack':
    case 'RolledBack':
    case 'Superseded':
      return 'stable';
    case 'Pending':
    case 'Progressing':
    case 'Paused':
      return undefined;
  }
}
