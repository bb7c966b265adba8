import { createHash } from 'node:crypto';

/** Which namespaces a controller looks at; wherever one may be given, undefined stands for all. */
export interface NamespaceScope {
  /** It runs their releases. At least one. */
  readonly watched: readonly string[];
  /** It reads what is there beside them, such as gateways, and changes nothing. */
  readonly read: readonly string[];
}

/** Whether what is in a namespace is known. */
export function isRead(scope: NamespaceScope | undefined, namespace: string): boolean {
  return scope === undefined || [...scope.watched, ...scope.read].includes(namespace);
}

/** The namespaces of which all kinds but releases are read, each once; undefined: of all, at once. */
export function readNamespaces(scope: NamespaceScope | undefined): readonly (string | undefined)[] {
  return scope === undefined ? [undefined] : [...new Set([...scope.watched, ...scope.read])];
}

/** The namespaces whose releases are run. */
export function watchedNamespaces(scope: NamespaceScope | undefined): readonly (string | undefined)[] {
  return scope === undefined ? [undefined] : [...new Set(scope.watched)];
}

const LEASE = 'perch-controller';
/** Longest name of an object. */
const LONGEST = 253;

/** Name of the Lease by which controllers agree who leads: one for each set of watched namespaces, `perch-controller.payments.shop`. */
export function leaseName(scope: NamespaceScope | undefined): string {
  if (scope === undefined) return LEASE;
  const names = [...new Set(scope.watched)].sort().join('.');
  const name = `${LEASE}.${names}`;
  return name.length <= LONGEST ? name : `${LEASE}.${createHash('sha256').update(names).digest('hex')}`;
}
