import { compareSpecificity, isSubsetOf, isWildcardHost, resolveHost } from '../istio/names.ts';
import type { DestinationRule, ServiceEntry } from '../istio/resources.ts';
import { groupByEach } from './group-by-each.ts';
import type { KeptResults } from './kept-results.ts';
import type { RouteObjects } from './route-objects.ts';
import type { Cluster } from './selection.ts';
import { CLIENT_NAMESPACE, Service } from './service.ts';
import { WorkloadIndex } from './workload-index.ts';

const ROOT_NAMESPACE = 'istio-system';

/** The objects that services come from. */
export type ServiceObjects = Pick<RouteObjects, 'serviceEntries' | 'workloadEntries' | 'destinationRules'>;

/** The services that ServiceEntries declare. Objects come in order of creation. */
export class ServiceRegistry {
  /** In order of creation. */
  readonly services: readonly Service[];
  /** Those that have a port, by its number. */
  readonly byPort: ReadonlyMap<number, readonly Service[]>;
  /** Of all services. */
  readonly clusters: readonly Cluster[];
  /** Hosts that ServiceEntries of several namespaces declare, with the namespaces that lost. */
  readonly shadowed: readonly { readonly host: string; readonly namespace: string; readonly ignored: readonly string[] }[];
  readonly #byHost: ReadonlyMap<string, Service>;

  /** `kept` has the services of the registry before. */
  constructor({ serviceEntries, workloadEntries, destinationRules }: ServiceObjects, kept: KeptResults<string, Service>) {
    const rules = new Map([...Map.groupBy(destinationRules, namespaceOf)].map(([namespace, own]) => [namespace, new RulesByHost(own)]));
    const workloads = new WorkloadIndex(workloadEntries);
    const declared = Map.groupBy(
      serviceEntries.flatMap((entry) => entry.spec.hosts.map((host) => ({ host: host.toLowerCase(), entry }))),
      ({ host }) => host,
    );
    const shadowed: { host: string; namespace: string; ignored: string[] }[] = [];
    this.services = [...declared].map(([host, declarations]) => {
      const namespaces = [...new Set(declarations.map(({ entry }) => namespaceOf(entry)))];
      const namespace = namespaces.includes(CLIENT_NAMESPACE) ? CLIENT_NAMESPACE : (namespaces[0] ?? CLIENT_NAMESPACE);
      if (namespaces.length > 1) shadowed.push({ host, namespace, ignored: namespaces.filter((other) => other !== namespace) });
      const entries = declarations
        .filter(({ entry }) => namespaceOf(entry) === namespace)
        .map(({ entry }) => ({ entry, selected: workloads.selectedBy(entry, namespace) }));
      const mesh = firstRules(rules, [CLIENT_NAMESPACE, namespace, ROOT_NAMESPACE], host);
      const ingress = firstRules(rules, [namespace, ROOT_NAMESPACE], host);
      const inputs = [...entries.flatMap(({ entry, selected }) => [entry, ...selected]), 'mesh', ...mesh, 'ingress', ...ingress];
      return kept.of(host, inputs, () => new Service({ host, namespace, entries, rules: { mesh, ingress } }));
    });
    kept.endRun();
    this.shadowed = shadowed;
    this.byPort = groupByEach(this.services, ({ ports }) => ports.keys());
    this.clusters = this.services.flatMap(({ clusters }) => clusters);
    this.#byHost = new Map(this.services.map((each) => [each.host, each]));
  }

  find(host: string): Service | undefined {
    return this.#byHost.get(host.toLowerCase());
  }
}

const NO_RULES: readonly DestinationRule[] = [];

/** The DestinationRules that count: of the first namespace that has any for the host, those of the most specific host, merged. */
function firstRules(rules: ReadonlyMap<string, RulesByHost>, namespaces: readonly string[], host: string): readonly DestinationRule[] {
  for (const namespace of namespaces) {
    const found = rules.get(namespace)?.mostSpecific(host);
    if (found !== undefined) return found;
  }
  return NO_RULES;
}

/** The DestinationRules of one namespace. */
class RulesByHost {
  readonly #byHost: ReadonlyMap<string, readonly DestinationRule[]>;
  /** The most specific first. */
  readonly #wildcards: readonly string[];

  constructor(rules: readonly DestinationRule[]) {
    this.#byHost = Map.groupBy(rules, ruleHost);
    this.#wildcards = [...this.#byHost.keys()].filter(isWildcardHost).sort(compareSpecificity);
  }

  mostSpecific(host: string): readonly DestinationRule[] | undefined {
    // None is more specific than the host itself.
    const own = this.#byHost.get(host);
    if (own !== undefined) return own;
    const best = this.#wildcards.find((each) => isSubsetOf(host, each));
    return best === undefined ? undefined : this.#byHost.get(best);
  }
}

function ruleHost(rule: DestinationRule): string {
  return resolveHost(rule.spec.host, namespaceOf(rule)).toLowerCase();
}

function namespaceOf(object: DestinationRule | ServiceEntry): string {
  return object.metadata.namespace ?? CLIENT_NAMESPACE;
}
