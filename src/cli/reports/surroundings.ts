import { refText } from '../../cluster/manifest.ts';
import type { ObjectRef } from '../../cluster/store.ts';
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import { resolveHost } from '../../core/istio/names.ts';
import type { ServiceEntrySpec, WorkloadEntrySpec } from '../../core/istio/resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import { compileRouting } from '../../core/routing/compile.ts';
import type { ObjectView, ReleaseView } from '../../server/release-resource.ts';
import { refOfView } from '../objects/object-name.ts';
import type { ReleaseClient } from '../release-client.ts';

/** All that a report about one object is made of. */
export interface Surroundings {
  /** Routing objects of every namespace, as their owners applied them. */
  readonly bases: readonly ObjectView[];
  readonly releases: readonly ReleaseView[];
  /** What routing and weaving say, each about the object that it names; nothing where not all may be read. */
  readonly findings: readonly Diagnostic[];
  /** What may be missing, in a clause; absent where nothing is. */
  readonly hidden?: string;
}

/** Reads them: of all namespaces where that is allowed, else of these. */
export async function readSurroundings(client: ReleaseClient, namespaces: readonly string[]): Promise<Surroundings> {
  const { objects, hidden } = await client.readable(undefined, namespaces);
  const bases = objects.filter(({ kind }) => kind !== RELEASE);
  const releases = objects.filter(({ kind }) => kind === RELEASE) as readonly ReleaseView[];
  if (hidden !== undefined) return { bases, releases, findings: [], hidden };
  const woven = await client.findings(releases.map(refOfView));
  return { bases, releases, findings: [...compileRouting(bases).diagnostics, ...(woven.kind === 'known' ? woven.findings.flat() : [])] };
}

/** Those of the findings that are about this object. */
export function findingsAbout({ findings }: Surroundings, ref: ObjectRef): readonly Diagnostic[] {
  return findings.filter(({ object }) => object === refText(ref));
}

/** An endpoint of a service, from wherever it was declared. */
export interface DeclaredEndpoint extends WorkloadEntrySpec {
  readonly from: ObjectRef;
}

/** The endpoints of a host, from every ServiceEntry that declares it. */
export function endpointsOf(bases: readonly ObjectView[], host: string): readonly DeclaredEndpoint[] {
  const isDeclaring = ({ kind, spec, metadata }: ObjectView): boolean =>
    kind === 'ServiceEntry' && (spec as ServiceEntrySpec).hosts.some((each) => resolveHost(each, metadata.namespace) === host);
  return bases.filter(isDeclaring).flatMap((entry) => endpointsOfEntry(bases, entry));
}

/** Those that a ServiceEntry lists, and the WorkloadEntries that it selects in its namespace. */
export function endpointsOfEntry(bases: readonly ObjectView[], entry: ObjectView): readonly DeclaredEndpoint[] {
  const { endpoints = [], workloadSelector } = entry.spec as ServiceEntrySpec;
  const listed = endpoints.map((endpoint) => ({ ...endpoint, from: refOfView(entry) }));
  if (workloadSelector === undefined) return listed;
  const selected = bases.filter(
    ({ kind, metadata, spec }) =>
      kind === 'WorkloadEntry' &&
      metadata.namespace === entry.metadata.namespace &&
      hasLabels((spec as WorkloadEntrySpec).labels, workloadSelector.labels),
  );
  return [...listed, ...selected.map((object) => ({ ...(object.spec as WorkloadEntrySpec), from: refOfView(object) }))];
}

/** Whether all `wanted` labels are there. */
export function hasLabels(
  labels: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => labels?.[key] === value);
}
