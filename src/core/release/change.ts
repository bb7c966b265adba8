import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { CANARY_COOKIE_AGE, type CanaryRelease, type CanaryReleaseSpec } from './canary-release.ts';
import { isUnderWay } from './phase.ts';
import { issuingRoute, routedKind, routedName, routeForm } from './route-form.ts';
import type { ReleaseStatus } from './status.ts';
import { describeVersion, sameVersion } from './version.ts';

/** As much of a release as a change is judged by. */
type Released = Pick<CanaryRelease, 'metadata' | 'spec'>;
type Pair = Pick<CanaryReleaseSpec, 'canary' | 'stable' | 'revision'>;

/**
 * Whether the spec asks for another release than the status knows: another pair, or a new revision. Leaving `stable` or `revision` out is
 * no change: both are optional.
 */
export function asksForNewRelease(spec: Pair, status: ReleaseStatus): boolean {
  if (!sameVersion(spec.canary, status.canary)) return true;
  if (spec.stable !== undefined && status.stable !== undefined && !sameVersion(spec.stable, status.stable)) return true;
  return spec.revision !== undefined && spec.revision !== status.revision;
}

/** What takes the place of the release under way, in a few words: `v3`, or `revision 8`. */
export function wantedInstead(spec: Pair, status: ReleaseStatus): string {
  if (!sameVersion(spec.canary, status.canary)) return describeVersion(spec.canary);
  if (spec.revision !== undefined && spec.revision !== status.revision) return `revision ${spec.revision}`;
  return `the release from ${spec.stable === undefined ? 'another version' : describeVersion(spec.stable)}`;
}

/**
 * Why a changed spec must not be applied now (PERCH3001): while a release is under way, where it is woven in and how visitors are known
 * stays. `current` is the release applied before. Another pair or revision may be asked for at any time: it supersedes what is under way.
 * Steps may change too, and so may the rules of a VirtualService that the release owns.
 */
export function refuseChange(
  status: ReleaseStatus | undefined,
  { metadata, spec: next }: Released,
  current?: Released,
): readonly Diagnostic[] {
  if (status === undefined || current === undefined || !isUnderWay(status.phase)) return [];
  const refused = FROZEN.filter(({ of }) => !same(of(next, metadata), of(current.spec, metadata))).map(({ path }) => path);
  const now = status.canary === undefined ? 'a release' : `the release of ${describeVersion(status.canary)}`;
  return refused.map((path) => ({
    code: 'PERCH3001',
    severity: 'error',
    path: `spec.${path}`,
    message: `${now} is under way (${status.phase}, ${status.weight} %): spec.${path} cannot change now`,
    hint: 'roll back or finish first',
  }));
}

/** Changing any of these under a running release would draw its visitors anew, or leave its routes behind. */
const FROZEN: readonly { readonly path: string; readonly of: (spec: CanaryReleaseSpec, metadata: Released['metadata']) => unknown }[] = [
  { path: 'service', of: ({ service }) => [service.host, service.port] },
  { path: 'route', of: placeOf },
  { path: 'visitorId.issueAt', of: (spec) => issuingRoute({ spec }) ?? null },
  { path: 'visitorId.from', of: ({ visitorId: { from } }) => from?.header ?? null },
  { path: 'visitorId.cookie.name', of: ({ visitorId }) => visitorId.cookie.name },
  // Browsers know a cookie by these too: another one beside the old would be a second id.
  { path: 'visitorId.cookie.path', of: ({ visitorId }) => visitorId.cookie.path },
  { path: 'visitorId.cookie.domain', of: ({ visitorId }) => visitorId.cookie.domain ?? null },
  { path: 'visitorId.cookie.partitioned', of: ({ visitorId }) => visitorId.cookie.partitioned },
  {
    path: 'affinity',
    of: ({ affinity }) => [affinity.mode, affinity.cookie?.name, affinity.cookie?.value, affinity.cookie?.maxAge ?? CANARY_COOKIE_AGE],
  },
];

/** Which object the release is woven into, and what reaches it. Its rules may change: they are a base, and are woven anew. */
function placeOf({ route }: CanaryReleaseSpec, metadata: Released['metadata']): readonly unknown[] {
  const release = { metadata, spec: { route } };
  const place = [routeForm(release), routedKind(release), routedName(release)];
  return 'managed' in route ? [...place, route.managed.hosts, route.managed.gateways] : place;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
