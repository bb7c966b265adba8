import { type Diagnostic, hasErrors } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { Finding } from '../source/finding.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import { formatPath, type Locate } from '../source/locate.ts';
import { API_VERSION, type CanaryRelease, canaryReleaseSpec, KIND } from './canary-release.ts';
import { ownedRouteFindings } from './owned-route.ts';
import { ruleFindings } from './rules.ts';
import { schemaFindings } from './schema-findings.ts';

/** A release that may be applied, or why not. */
export interface ValidatedRelease {
  readonly release?: CanaryRelease;
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether an object means to be a CanaryRelease: of our kind, in whatever version. */
export function isCanaryRelease(object: KubeObject): boolean {
  return object.kind === KIND && object.apiVersion.split('/')[0] === 'perch.dev';
}

const TOP_LEVEL = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

/**
 * Checks a CanaryRelease: its schema, the rules over several fields (PERCH1201 to 1214), and the VirtualService that it declares where it
 * owns one (PERCH11xx, PERCH1301). All mistakes are returned, each with its path and, given `locate`, its place in the text. Only without
 * errors is there a release, with defaults filled in.
 */
export function validateCanaryRelease(object: KubeObject, locate?: Locate): ValidatedRelease {
  const { name, namespace = DEFAULT_NAMESPACE } = object.metadata;
  const parsed = canaryReleaseSpec.safeParse(object.spec ?? undefined);
  const shape = parsed.success ? [] : schemaFindings(object.spec ?? undefined, parsed.error.issues);
  const told = new Set(shape.map((finding) => formatPath(finding.path)));
  const findings = [
    ...identityFindings(object, namespace),
    ...shape,
    ...ruleFindings(object.spec, namespace),
    ...ownedRouteFindings(object.spec, namespace).filter((finding) => !told.has(formatPath(finding.path))),
  ];
  const diagnostics = findings
    .map((finding): Diagnostic => {
      const source = locate === undefined ? {} : { source: locate(finding.path, finding.at) };
      const { code, message, hint, severity = 'error' } = finding;
      return { code, severity, message, object: `${KIND} ${namespace}/${name}`, path: formatPath(finding.path), ...source, hint };
    })
    .toSorted(byPlace);
  if (!parsed.success || hasErrors(diagnostics)) return { diagnostics };
  const release = {
    ...object,
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { ...object.metadata, namespace },
    spec: parsed.data,
  } as const;
  return { release, diagnostics };
}

function identityFindings(object: KubeObject, namespace: string): readonly Finding[] {
  const findings: Finding[] = [];
  if (object.apiVersion !== API_VERSION) {
    const message = `apiVersion ${object.apiVersion} is not known for ${KIND}`;
    findings.push({ code: 'PERCH1212', path: ['apiVersion'], message, hint: `write apiVersion: ${API_VERSION}` });
  }
  const label = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
  if (!label.test(object.metadata.name)) {
    const message = `metadata.name must be lower-case letters, digits and hyphens, at most 63, found "${object.metadata.name}"`;
    findings.push({ code: 'PERCH1211', path: ['metadata', 'name'], message, hint: 'choose such a name, often the service’s' });
  }
  if (!label.test(namespace)) {
    const message = `metadata.namespace must be lower-case letters, digits and hyphens, at most 63, found "${namespace}"`;
    findings.push({ code: 'PERCH1211', path: ['metadata', 'namespace'], message, hint: 'correct the namespace' });
  }
  for (const field of Object.keys(object)) {
    if (TOP_LEVEL.includes(field)) continue;
    const meant = suggest(field, TOP_LEVEL);
    const hint = meant === undefined ? 'fields of the release belong below spec' : `did you mean ${meant}?`;
    findings.push({ code: 'PERCH1201', path: [field], at: 'key', message: `there is no field ${field}`, hint });
  }
  return findings;
}

/** In the order of the text; unplaced findings keep theirs. */
function byPlace({ source: a }: Diagnostic, { source: b }: Diagnostic): number {
  return a === undefined || b === undefined ? 0 : a.line - b.line || a.column - b.column;
}
