import type { z } from 'zod';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { Finding } from '../source/finding.ts';
import { DEFAULT_NAMESPACE, isMapping } from '../source/kube-object.ts';
import { type FieldPath, formatPath, type Locate } from '../source/locate.ts';
import { ROUTE_ACTIONS } from './http-route-rules.ts';
import { ISTIO_VERSIONS, isIstioNetworking } from './kinds.ts';
import {
  destinationRuleFindings,
  gatewayFindings,
  serviceEntryFindings,
  virtualServiceFindings,
  workloadFindings,
} from './object-rules.ts';
import type { DestinationRuleSpec, GatewaySpec, HTTPRoute, KubeObject, ServiceEntrySpec, WorkloadEntrySpec } from './resources.ts';
import { destinationRuleSpec, gatewaySpec, httpRoute, serviceEntrySpec, virtualServiceSpec, workloadEntrySpec } from './schema.ts';
import { schemaFindings } from './schema-findings.ts';

const TOP_LEVEL = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

const SPEC: FieldPath = ['spec'];

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  Gateway: gatewaySpec,
  VirtualService: virtualServiceSpec,
  DestinationRule: destinationRuleSpec,
  ServiceEntry: serviceEntrySpec,
  WorkloadEntry: workloadEntrySpec,
};

/**
 * Checks an Istio networking object for the embedded gateway: its fields (PERCH1101 to 1103), Istio's rules over several fields (1104), its
 * version (1105), and what the gateway does not support yet (1301). All mistakes are returned, each with its path and, given `locate`, its place.
 */
export function validateRoutingObject(object: KubeObject, locate?: Locate): readonly Diagnostic[] {
  const namespace = object.metadata.namespace ?? DEFAULT_NAMESPACE;
  return findingsOf(object, namespace).map((finding) => ({
    code: finding.code,
    severity: finding.severity ?? 'error',
    message: finding.message,
    object: `${object.kind} ${namespace}/${object.metadata.name}`,
    path: formatPath(finding.path),
    ...(locate === undefined ? {} : { source: locate(finding.path, finding.at) }),
    hint: finding.hint,
  }));
}

/**
 * What is wrong with the spec of a VirtualService of `namespace`, wherever it is written: `root` is its place in the object that it is part
 * of, and the paths of the findings begin with it. The codes are those of `validateRoutingObject`.
 */
export function virtualServiceSpecFindings(spec: unknown, namespace: string, root: FieldPath): readonly Finding[] {
  return [...schemaFindings('VirtualService', virtualServiceSpec, spec, root), ...virtualServiceRules(spec, namespace, root)];
}

function findingsOf(object: KubeObject, namespace: string): readonly Finding[] {
  const version = object.apiVersion.split('/')[1] ?? '';
  const findings: Finding[] = [];
  if (!isIstioNetworking(object) || !ISTIO_VERSIONS.includes(version)) {
    const message = `apiVersion ${object.apiVersion} is not known for ${object.kind}`;
    findings.push({ code: 'PERCH1105', path: ['apiVersion'], message, hint: 'write apiVersion: networking.istio.io/v1' });
  }
  const schema = SCHEMAS[object.kind];
  if (schema === undefined) {
    const message = `kind ${object.kind} is not supported yet by the embedded gateway`;
    return [...findings, { code: 'PERCH1301', path: ['kind'], message, hint: 'remove the object here; on Istio it keeps working' }];
  }
  for (const field of Object.keys(object)) {
    if (TOP_LEVEL.includes(field)) continue;
    const meant = suggest(field, TOP_LEVEL);
    const hint = meant === undefined ? 'fields of the object belong below spec' : `did you mean ${meant}?`;
    findings.push({ code: 'PERCH1101', path: [field], at: 'key', message: `there is no field ${field}`, hint });
  }
  if (object.kind === 'VirtualService') return [...findings, ...virtualServiceSpecFindings(object.spec ?? undefined, namespace, SPEC)];
  const shape = schemaFindings(object.kind, schema, object.spec ?? undefined, SPEC);
  return [...findings, ...shape, ...(shape.length === 0 ? ruleFindings(object) : [])];
}

/** Rules over what has its shape. */
function ruleFindings(object: KubeObject): readonly Finding[] {
  switch (object.kind) {
    case 'Gateway':
      return gatewayFindings(object.spec as GatewaySpec);
    case 'DestinationRule':
      return destinationRuleFindings(object.spec as DestinationRuleSpec);
    case 'ServiceEntry':
      return serviceEntryFindings(object.spec as ServiceEntrySpec);
    default:
      return workloadFindings(object.spec as WorkloadEntrySpec, SPEC);
  }
}

/** Each field of each HTTP route is judged by itself, so that one mistake hides no other. */
function virtualServiceRules(spec: unknown, namespace: string, root: FieldPath): readonly Finding[] {
  if (!isMapping(spec)) return [];
  const { hosts, gateways, http } = spec;
  const routes = (Array.isArray(http) ? http : []).flatMap((route: unknown, index) =>
    isMapping(route) ? [{ index, route: wellFormed(route), actions: ROUTE_ACTIONS.filter((action) => isGiven(route[action])) }] : [],
  );
  const names = (value: unknown) => (Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : []);
  return virtualServiceFindings({ hosts: names(hosts), gateways: names(gateways) }, routes, namespace, root);
}

/** The fields of an HTTP route that have their shape. */
function wellFormed(route: Readonly<Record<string, unknown>>): HTTPRoute {
  const issues = httpRoute.safeParse(route).error?.issues ?? [];
  const broken = new Set(issues.map(({ path }) => path[0]).filter((field) => field !== undefined));
  return Object.fromEntries(Object.entries(route).filter(([field]) => !broken.has(field))) as HTTPRoute;
}

function isGiven(action: unknown): boolean {
  return Array.isArray(action) ? action.length > 0 : action !== undefined;
}
