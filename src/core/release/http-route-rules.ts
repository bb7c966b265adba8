import { type Finding, valueAt } from '../source/finding.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';

/** What `route.adopt.httpRoute` may be combined with. Like all rules it judges the spec as written. */
export function httpRouteRules(spec: unknown): readonly Finding[] {
  if (valueAt(spec, ['route', 'adopt', 'httpRoute']) === undefined) return issuedElsewhere(spec);
  const subsets = (['canary', 'stable'] as const)
    .filter((field) => valueAt(spec, [field, 'subset']) !== undefined)
    .map((field) =>
      beside(
        [field, 'subset'],
        'a subset is Istio’s, and an HTTPRoute leads to Services',
        'name a Service of its own for each version: host: ...',
      ),
    );
  const steps = valueAt(spec, ['steps']);
  const picks = Array.isArray(steps) ? steps.flatMap((step, index) => (valueAt(step, ['match']) === undefined ? [] : [index])) : [];
  const isDrawn = valueAt(spec, ['affinity', 'mode']) === 'canaryOnly';
  return [
    ...subsets,
    ...visitorIdRules(spec),
    ...(valueAt(spec, ['optIn']) === undefined
      ? []
      : [beside(['optIn'], 'links are for VirtualServices only', 'leave it out, or adopt a VirtualService')]),
    ...picks.map((index) =>
      beside(['steps', index, 'match'], 'picking is for VirtualServices only', 'leave the step out, or adopt a VirtualService'),
    ),
    ...(isDrawn ? [beside(['affinity', 'mode'], 'requests are drawn in VirtualServices only', 'use affinity.mode: visitor')] : []),
  ];
}

function visitorIdRules(spec: unknown): readonly Finding[] {
  const issueAt = valueAt(spec, ['visitorId', 'issueAt']);
  if (valueAt(issueAt, ['virtualService']) !== undefined) {
    return [
      beside(
        ['visitorId', 'issueAt', 'virtualService'],
        'ids are issued in an HTTPRoute, too',
        'name an HTTPRoute at a Gateway: issueAt: {httpRoute: ...}; or adopt a VirtualService',
      ),
    ];
  }
  if (issueAt !== undefined || valueAt(spec, ['visitorId', 'propagate']) === undefined) return [];
  return [
    beside(
      ['visitorId', 'propagate'],
      'without visitorId.issueAt nobody behind it is told the cohort',
      'leave it out; for a service inside the mesh, name in issueAt the HTTPRoute that browsers reach',
    ),
  ];
}

/** A VirtualService tells the hops behind it in its own way, and so does an HTTPRoute. */
function issuedElsewhere(spec: unknown): readonly Finding[] {
  if (valueAt(spec, ['visitorId', 'issueAt', 'httpRoute']) === undefined) return [];
  const full = ['spec', 'visitorId', 'issueAt', 'httpRoute'];
  return [
    {
      code: 'PERCH1216',
      path: full,
      at: 'key',
      message: `${formatPath(full)} goes with route.adopt.httpRoute only`,
      hint: 'name a VirtualService: issueAt: {virtualService: ...}; or adopt an HTTPRoute',
    },
  ];
}

function beside(path: FieldPath, because: string, hint: string): Finding {
  const full = ['spec', ...path];
  return {
    code: 'PERCH1216',
    path: full,
    at: 'key',
    message: `${formatPath(full)} does not go with route.adopt.httpRoute: ${because}`,
    hint,
  };
}
