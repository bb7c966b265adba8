import { isSubsetOf, resolveHost } from '../istio/names.ts';
import type { DestinationRule, KubeObject, ServiceEntry } from '../istio/resources.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';

/** What a version of a service is an address of: its host resolved, its port, and a subset where it is one. */
export interface VersionAddress {
  readonly host: string;
  readonly port: number;
  readonly subset?: string | undefined;
}

/**
 * Why no endpoint of a version is declared, in words, with what to do: which object is missing, or what it does not have. Of a version
 * that has endpoints it says nothing useful. `objects` are ServiceEntries and DestinationRules; others are left out. `isRouted`: whether
 * clients have the address at all.
 */
export function missingEndpoints(objects: readonly KubeObject[], { host, port, subset }: VersionAddress, isRouted = true): string {
  const entries = objects.filter((object) => object.kind === 'ServiceEntry') as readonly ServiceEntry[];
  const declaring = entries.filter((entry) => entry.spec.hosts.some((each) => resolved(each, entry) === host));
  const ports = [...new Set(declaring.flatMap((entry) => entry.spec.ports.map(({ number }) => number)))];
  const names = declaring.map(nameOf).join(' and ');
  if (declaring.length === 0) return `no ServiceEntry declares ${host}: add one, or correct the host`;
  if (!ports.includes(port)) return `${names} has no port ${port}, only ${listed(ports)}: add it there, or correct the port`;
  if (subset === undefined) return `no endpoints in ${names}: add some`;
  const missing = missingSubset(objects, host, subset);
  if (missing !== undefined) return missing;
  if (!isRouted) return `the DestinationRule with subset ${subset} does not count for ${host}: put it into the namespace of ${names}`;
  return `no endpoint of ${names} has the labels of subset ${subset}: add one, or correct the labels`;
}

/** Why a subset of a host does not exist, with what to do; undefined where a DestinationRule has it. `host` is resolved. */
export function missingSubset(objects: readonly KubeObject[], host: string, subset: string): string | undefined {
  const all = objects.filter((object) => object.kind === 'DestinationRule') as readonly DestinationRule[];
  const rules = all.filter((rule) => isSubsetOf(host, resolved(rule.spec.host, rule)));
  if (rules.length === 0) return `no DestinationRule is for ${host}: add one with a subset ${subset}`;
  const subsets = rules.flatMap((rule) => (rule.spec.subsets ?? []).map(({ name }) => name));
  if (subsets.includes(subset)) return undefined;
  const only = subsets.length === 0 ? 'it has none' : `only ${listed(subsets)}`;
  return `${rules.map(nameOf).join(' and ')} has no subset ${subset}, ${only}: add it there, or correct the version`;
}

/** The labels of a subset of a host; undefined where no DestinationRule has it. `host` is resolved. */
export function subsetLabels(objects: readonly KubeObject[], host: string, subset: string): Readonly<Record<string, string>> | undefined {
  const all = objects.filter((object) => object.kind === 'DestinationRule') as readonly DestinationRule[];
  const rules = all.filter((rule) => isSubsetOf(host, resolved(rule.spec.host, rule)));
  const found = rules.flatMap((rule) => rule.spec.subsets ?? []).find(({ name }) => name === subset);
  return found === undefined ? undefined : (found.labels ?? {});
}

function resolved(host: string, { metadata }: KubeObject): string {
  return resolveHost(host, metadata.namespace ?? DEFAULT_NAMESPACE).toLowerCase();
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ?? DEFAULT_NAMESPACE}/${metadata.name}`;
}

function listed(items: readonly (string | number)[]): string {
  const shown = [...new Set(items)];
  return shown.length > 5 ? `${shown.slice(0, 5).join(', ')} and ${shown.length - 5} more` : shown.join(', ');
}
