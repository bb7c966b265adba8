import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { resolveHost } from '../istio/names.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import { ownedField, routedName, routedPath } from '../release/route-form.ts';
import { isDelegate } from '../routing/delegates.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import { MOST_GROUPS } from './cohort-cells.ts';
import { type ReleasedService, standingOf } from './released-destination.ts';
import { describeRouteObject, type RouteObject, routeObject } from './route-object.ts';
import { wovenReleases } from './unweave.ts';

/** What weaving says about a release and its objects as wholes; `weavable.ts` judges single rules. */

const ISSUE_AT = 'spec.visitorId.issueAt.virtualService';

/** spec.visitorId.issueAt names an object that does not exist. */
export function issuingObjectMissing(release: CanaryRelease, issueAt: string): Diagnostic {
  const what = isDrawn(release) ? 'visitors are to be drawn' : 'visitor ids are to be issued';
  const message = `VirtualService ${release.metadata.namespace}/${issueAt}, where ${what}, does not exist`;
  return nowhere(release, message, 'create it, or name the VirtualService that browsers reach');
}

/** The issuing object, named or by default, is bound to no gateway. */
export function issuingObjectInMesh(release: CanaryRelease, issuing: RouteObject): Diagnostic {
  const what = isDrawn(release) ? 'the canary’s cookie' : 'their ids';
  const where = isDelegate(issuing) ? 'is reached from the mesh only' : 'is bound to the mesh only';
  const message = `${describeRouteObject(issuing)} ${where}, so visitors cannot get ${what} there`;
  return nowhere(
    release,
    message,
    'name a VirtualService that is bound to a gateway: browsers reach no other, so no cookie would reach them',
  );
}

function nowhere(release: CanaryRelease, message: string, hint: string): Diagnostic {
  return { code: 'PERCH2010', severity: 'error', message, object: describeRelease(release), path: ISSUE_AT, hint };
}

/** No rule of `objects` delegates to an object without hosts: nothing in it is ever served. */
export function nothingDelegates(release: CanaryRelease, delegate: RouteObject, objects: readonly RouteObject[]): Diagnostic {
  const { namespace, name } = delegate;
  const isRouted = name === routedName(release);
  // A root in another namespace that leaves the delegate's out means its own.
  const missed = objects.find((object) => (object.spec.http ?? []).some((rule) => rule.delegate?.name === name));
  return {
    code: 'PERCH2018',
    severity: 'error',
    message: `no VirtualService delegates to ${describeRouteObject(delegate)}, so no request reaches its rules`,
    object: describeRelease(release),
    path: isRouted ? routedPath(release) : ISSUE_AT,
    hint:
      missed === undefined
        ? `let a rule of a VirtualService that has hosts say delegate: {name: ${name}, namespace: ${namespace}}`
        : `${describeRouteObject(missed)} delegates to ${name} of another namespace: write namespace: ${namespace} there`,
  };
}

/** Releases stand in the object that are none of those which may: they have to leave first. */
export function foreignReleases(object: KubeObject, sharing: readonly CanaryRelease[]): readonly Diagnostic[] {
  const known = sharing.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`);
  const described = describeRouteObject(routeObject(object, sharing[0]?.metadata.namespace ?? DEFAULT_NAMESPACE));
  return wovenReleases(object)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      code: 'PERCH2012',
      severity: 'error',
      message: `release ${name} is woven into ${described}, and its spec does not name it`,
      object: described,
      path: 'spec.http',
      hint: 'wait until that release has left, or give the services objects of their own',
    }));
}

/** Together with the other releases of the object, the visitors of one of its rules would be divided into too many groups. */
export function tooManyGroups(issuing: RouteObject, groups: number, release: CanaryRelease, others: readonly CanaryRelease[]): Diagnostic {
  const names = others.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`).join(', ');
  return {
    code: 'PERCH2021',
    severity: 'error',
    message: `with ${names} the visitors of ${describeRouteObject(issuing)} would be divided into up to ${groups} groups: ${MOST_GROUPS} at most`,
    object: describeRelease(release),
    path: 'spec.cohort',
    hint: 'give releases that run at the same time the same cohort, 0 to 3 (they then move the same visitors), or wait until one has finished',
  };
}

/** TCP and TLS routes that lead to the service: connections have no visitors. */
export function streamFindings(routed: RouteObject, service: ReleasedService, versions: readonly Version[]): readonly Diagnostic[] {
  return (['tcp', 'tls'] as const).flatMap((kind) =>
    (routed.spec[kind] ?? []).flatMap((rule, index): Diagnostic[] => {
      const targets = (rule as { readonly route?: readonly { readonly destination: { readonly host: string } }[] }).route ?? [];
      if (targets.every((target) => standingOf(target.destination, routed.namespace, service, versions) === 'elsewhere')) return [];
      return [
        {
          code: 'PERCH2006',
          severity: 'warning',
          message: `the ${kind.toUpperCase()} route is not woven: a connection carries no cookie`,
          object: describeRouteObject(routed),
          path: `spec.${kind}[${index}]`,
          hint: 'only HTTP routes are released; where TLS passes through, let the gateway end it',
        },
      ];
    }),
  );
}

/** No rule leads to the service, or none of those that do (`concerned`) can be woven. */
export function nothingReleased(routed: RouteObject, concerned: number, release: CanaryRelease): Diagnostic {
  const { service } = release.spec;
  const to = `${resolveHost(service.host, release.metadata.namespace)} port ${service.port}`;
  const own = ownedField(release, 'spec.http');
  const object = describeRouteObject(routed);
  const [message, hint] =
    concerned > 0
      ? [
          `no rule of ${object} that leads to ${to} can be woven`,
          'see the other findings on its rules: perch describe release has them all',
        ]
      : [
          `no rule of ${object} leads to ${to}`,
          `${own === undefined ? 'adopt the VirtualService that routes to the service' : `add such a rule to ${own}`}, or correct spec.service`,
        ];
  return { code: 'PERCH2001', severity: 'error', message, object, path: 'spec.http', hint };
}

/** No rule of the issuing object can be woven. */
export function nothingIssued(issuing: RouteObject, release: CanaryRelease): Diagnostic {
  const object = describeRouteObject(issuing);
  const message = `no rule of ${object} can ${isDrawn(release) ? 'draw visitors' : 'issue visitor ids'}`;
  return {
    code: 'PERCH2011',
    severity: 'error',
    message,
    object,
    path: 'spec.http',
    hint: 'see the other findings on its rules: perch describe release has them all',
  };
}

/** A finding about a VirtualService that the release owns, at its place in the release, where its author finds it; any other as it is. */
export function placedInRelease(finding: Diagnostic, release: CanaryRelease): Diagnostic {
  const { namespace } = release.metadata;
  if (finding.object !== `VirtualService ${namespace}/${routedName(release)}` || finding.path === undefined) return finding;
  const path = ownedField(release, finding.path);
  return path === undefined ? finding : { ...finding, object: describeRelease(release), path };
}

/** Nobody has an id there: requests are drawn, and the canary sets a cookie. */
function isDrawn({ spec }: CanaryRelease): boolean {
  return spec.affinity.mode === 'canaryOnly';
}

function describeRelease(release: CanaryRelease): string {
  return `CanaryRelease ${release.metadata.namespace}/${release.metadata.name}`;
}
