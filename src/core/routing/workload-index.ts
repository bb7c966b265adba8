import type { ServiceEntry, WorkloadEntry } from '../istio/resources.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import { groupByEach } from './group-by-each.ts';
import { hasLabels, labelsOf } from './service.ts';

/** WorkloadEntries by namespace and label, so that those that a ServiceEntry selects are found without looking at each. */
export class WorkloadIndex {
  /** In order of creation, like `#byLabel`. */
  readonly #byNamespace: ReadonlyMap<string, readonly WorkloadEntry[]>;
  readonly #byLabel: ReadonlyMap<string, readonly WorkloadEntry[]>;

  constructor(workloads: readonly WorkloadEntry[]) {
    this.#byNamespace = Map.groupBy(workloads, namespaceOf);
    this.#byLabel = groupByEach(workloads, (workload) =>
      Object.entries(labelsOf(workload.spec, workload.metadata)).map(([name, value]) => labelKey(namespaceOf(workload), name, value)),
    );
  }

  /** Those of the namespace that the entry's selector fits; none where it has no selector. */
  selectedBy(entry: ServiceEntry, namespace: string): readonly WorkloadEntry[] {
    const selector = entry.spec.workloadSelector?.labels;
    if (selector === undefined) return [];
    const having = Object.entries(selector).map(([name, value]) => this.#byLabel.get(labelKey(namespace, name, value)) ?? []);
    const fewest = having.reduce((left, right) => (right.length < left.length ? right : left), this.#byNamespace.get(namespace) ?? []);
    return fewest.filter(({ spec, metadata }) => hasLabels(labelsOf(spec, metadata), selector));
  }
}

function labelKey(namespace: string, name: string, value: string): string {
  return JSON.stringify([namespace, name, value]);
}

function namespaceOf({ metadata }: WorkloadEntry): string {
  return metadata.namespace ?? DEFAULT_NAMESPACE;
}
