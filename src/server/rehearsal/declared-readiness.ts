import type { Readiness } from '../../cluster/readiness.ts';
import { resolveHost } from '../../core/istio/names.ts';
import type { DestinationRuleSpec, KubeObject, ServiceEntrySpec } from '../../core/istio/resources.ts';
import type { Version } from '../../core/release/canary-release.ts';
import { describeVersion } from '../../core/release/version.ts';
import { compileRouting } from '../../core/routing/compile.ts';
import { missingEndpoints, missingSubset, type VersionAddress } from '../../core/routing/missing-endpoints.ts';

type Check = Readiness['check'];

/**
 * Readiness by what objects declare, without asking any endpoint: a version is ready unless they rule that out. Of a service that no
 * ServiceEntry among them declares nothing is known about endpoints (in a cluster they are Kubernetes' own), so only a subset can be missing,
 * where a DestinationRule for the host lists others.
 */
export function declaredReadiness(objects: readonly KubeObject[]): Check {
  const { clusters } = compileRouting(objects).table;
  const services = new Set(
    objects
      .filter(({ kind }) => kind === 'ServiceEntry')
      .flatMap((entry) => (entry.spec as ServiceEntrySpec).hosts.map((host) => resolvedIn(entry, host))),
  );
  const hasRules = (host: string): boolean =>
    objects.some((rule) => rule.kind === 'DestinationRule' && resolvedIn(rule, (rule.spec as DestinationRuleSpec).host) === host);

  return (host, port, version) => {
    const wanted = addressOf(host, port, version);
    const name = 'subset' in version ? `subset ${version.subset} of ${host}:${port}` : describeVersion(version);
    const notReady = (reason: string): ReturnType<Check> => ({ ready: false, reason });
    if (!services.has(wanted.host)) {
      const missing =
        wanted.subset === undefined || !hasRules(wanted.host) ? undefined : missingSubset(objects, wanted.host, wanted.subset);
      return missing === undefined ? { ready: true, reason: `${name} is not in the files` } : notReady(missing);
    }
    const found = clusters.filter(({ host: of, port: at, subset }) => of === wanted.host && at === wanted.port && subset === wanted.subset);
    return found.every(({ endpoints }) => endpoints.length === 0)
      ? notReady(missingEndpoints(objects, wanted, found.length > 0))
      : { ready: true, reason: `${name} is declared` };
  };
}

function resolvedIn({ metadata }: KubeObject, host: string): string {
  return resolveHost(host, metadata.namespace ?? 'default').toLowerCase();
}

function addressOf(host: string, port: number, version: Version): VersionAddress {
  if ('subset' in version) return { host, port, subset: version.subset };
  return { host: version.host, port: version.port ?? port };
}
