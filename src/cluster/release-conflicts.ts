import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { HTTP_ROUTE } from '../core/gateway-api/http-route.ts';
import { resolveHost } from '../core/istio/names.ts';
import { canaryCookieOf } from '../core/release/canary-cookie.ts';
import type { CanaryRelease } from '../core/release/canary-release.ts';
import { issuingRoute, routedKind, routedName, routedPath, routeForm } from '../core/release/route-form.ts';
import { refOf, refText } from './manifest.ts';

/** One thing that a release takes part in, and where its spec says so. */
interface Claim {
  readonly on: string;
  readonly path: string;
  /** Other releases may share it that claim it in the same way; undefined: nobody else may. */
  readonly sharedAs?: string;
  readonly hint?: string;
}

/** Who claims what, the first one's claim first, by what it is claimed on. */
type Claims = Map<string, { readonly claim: Claim; readonly holder: CanaryRelease }[]>;

/** What all of a list claim, found once for each list: there may be thousands, and one that is judged. */
const claimed = new WeakMap<readonly CanaryRelease[], Claims>();

/**
 * PERCH3050 for each of `applied` that shares a VirtualService, a service or a canary's cookie with another release: of `applied` with one
 * before it, or of `others`, which are in the store already, but for those whose place it takes. Each names the other.
 */
export function releaseConflicts(
  applied: readonly CanaryRelease[],
  others: readonly CanaryRelease[],
  isReplaced: (other: CanaryRelease) => boolean = () => false,
): readonly Diagnostic[] {
  const stored = claimed.get(others) ?? claimsOfAll(others);
  claimed.set(others, stored);
  const earlier: Claims = new Map();
  return applied.flatMap((release) => {
    const found = claimsOf(release).flatMap((own) => {
      const held =
        stored.get(own.on)?.find((theirs) => excludes(theirs.claim, own) && !isReplaced(theirs.holder)) ??
        earlier.get(own.on)?.find((theirs) => excludes(theirs.claim, own));
      return held === undefined ? [] : [conflict(release, own, held.holder)];
    });
    addClaims(earlier, release);
    // One place of the spec may claim several things: one of them is enough to be told.
    return found.filter((each, at) => found.findIndex(({ path }) => path === each.path) === at);
  });
}

function claimsOfAll(releases: readonly CanaryRelease[]): Claims {
  const claims: Claims = new Map();
  for (const release of releases) addClaims(claims, release);
  return claims;
}

function addClaims(claims: Claims, holder: CanaryRelease): void {
  for (const claim of claimsOf(holder)) {
    const known = claims.get(claim.on);
    if (known === undefined) claims.set(claim.on, [{ claim, holder }]);
    else known.push({ claim, holder });
  }
}

/** Whether two claims on one thing exclude each other. */
function excludes(left: Claim, right: Claim): boolean {
  return left.sharedAs === undefined || left.sharedAs !== right.sharedAs;
}

function claimsOf(release: CanaryRelease): readonly Claim[] {
  const { namespace } = release.metadata;
  const { service } = release.spec;
  return [
    { on: `service ${resolveHost(service.host, namespace)}:${service.port}`, path: 'spec.service' },
    ...objectClaims(release),
    cookieClaim(release),
  ];
}

/**
 * An object may be the edge of several releases, which then issue one visitor id, or a hop of several, each with rules of its own; not both, and
 * only one release can own it. Drawn requests cannot be divided any further.
 */
function objectClaims(release: CanaryRelease): readonly Claim[] {
  const { namespace } = release.metadata;
  const { visitorId, affinity } = release.spec;
  if (routedKind(release) === HTTP_ROUTE) return httpRouteClaims(release);
  const routed = routedName(release);
  const issuing = issuingRoute(release)?.name ?? routed;
  const on = (name: string) => `VirtualService ${namespace}/${name}`;
  const ids = `ids ${JSON.stringify([visitorId.from, visitorId.issueOn, visitorId.cookie])}`;
  const shared = (how: string) => (affinity.mode === 'visitor' ? { sharedAs: how, hint: SHARING } : {});
  const rules = rulesClaim(release);
  if (issuing === routed) return [{ on: on(routed), path: routedPath(release), ...shared(ids) }, rules];
  return [
    { on: on(routed), path: routedPath(release), ...shared('hop') },
    { on: on(issuing), path: 'spec.visitorId.issueAt.virtualService', ...shared(ids) },
    rules,
  ];
}

/** One release only is woven into an HTTPRoute, whatever it is to it. */
function httpRouteClaims(release: CanaryRelease): readonly Claim[] {
  const { namespace } = release.metadata;
  const on = (name: string) => `${HTTP_ROUTE} ${namespace}/${name}`;
  const routed = { on: on(routedName(release)), path: routedPath(release) };
  const issuing = issuingRoute(release);
  if (issuing === undefined || issuing.name === routedName(release)) return [routed];
  return [routed, { on: on(issuing.name), path: 'spec.visitorId.issueAt.httpRoute' }];
}

const SHARING =
  'releases share a VirtualService where all have affinity.mode: visitor and, where ids are issued in it, the same visitorId.from, cookie and issueOn; else give each one of its own';

/**
 * Several releases may adopt an object, each with rules of its own. One that a release owns is written by that one alone: what another one
 * moved would be moved back when that left.
 */
function rulesClaim(release: CanaryRelease): Claim {
  const on = `the rules of VirtualService ${release.metadata.namespace}/${routedName(release)}`;
  return { on, path: routedPath(release), ...(routeForm(release) === 'adopt' ? { sharedAs: 'adopted' } : {}) };
}

/**
 * Visitor ids are for all releases; a canary's cookie would be overwritten by another of its name, and take others' visitors along. Which
 * releases meet at one host is not asked: those of a namespace are taken to.
 */
function cookieClaim({ metadata, spec }: CanaryRelease): Claim {
  const own = canaryCookieOf({ ...metadata, started: 0, spec });
  const hint = 'choose another name: of one name, browsers hold one cookie';
  const on = (name: string): string => `the cookie ${name} in namespace ${metadata.namespace}`;
  if (own !== undefined) return { on: on(own.name), path: 'spec.affinity.cookie.name', hint };
  return { on: on(spec.visitorId.cookie.name), path: 'spec.visitorId.cookie.name', sharedAs: 'visitor id', hint };
}

function conflict(release: CanaryRelease, claim: Claim, holder: CanaryRelease): Diagnostic {
  const other = `${holder.metadata.namespace}/${holder.metadata.name}`;
  return {
    code: 'PERCH3050',
    severity: 'error',
    message: `the release ${other} uses ${claim.on} already`,
    object: refText(refOf(release)),
    path: claim.path,
    hint: claim.hint ?? `delete ${other} first, or give this release a VirtualService and a service of its own`,
  };
}
