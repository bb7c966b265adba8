import { boundGateways, resolveHost } from '../istio/names.ts';
import type { HTTPRoute, VirtualService } from '../istio/resources.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import { type DelegateProblem, delegateNames, delegatesOf, effectiveRules, isDelegate } from './delegates.ts';
import type { KeptResults } from './kept-results.ts';
import { fullName } from './route-objects.ts';

/** A VirtualService that has hosts, with every name resolved and its delegates merged in. */
export interface EffectiveService {
  readonly object: VirtualService;
  /** `namespace/name`. */
  readonly name: string;
  readonly namespace: string;
  readonly hosts: readonly string[];
  /** `namespace/name` of each, or `mesh`. */
  readonly gateways: readonly string[];
  readonly rules: readonly HTTPRoute[];
  /** The hosts that the rules lead to, each once. */
  readonly destinations: readonly string[];
  /** Rules that lead nowhere. */
  readonly problems: readonly DelegateProblem[];
}

/** The VirtualServices that serve hosts, in the order given. `kept` has those of the run before. */
export function effectiveServices(
  virtualServices: readonly VirtualService[],
  kept: KeptResults<VirtualService, EffectiveService>,
): readonly EffectiveService[] {
  const delegates = delegatesOf(virtualServices);
  const find = (name: string): VirtualService | undefined => delegates.get(name);
  return virtualServices
    .filter((service) => !isDelegate(service))
    .map((service) => kept.of(service, delegateNames(service).map(find), () => effectiveService(service, find)));
}

/** One of them, with the delegates that are found by `namespace/name`. */
export function effectiveService(object: VirtualService, findDelegate: (name: string) => VirtualService | undefined): EffectiveService {
  const namespace = object.metadata.namespace ?? DEFAULT_NAMESPACE;
  const problems: DelegateProblem[] = [];
  const rules = effectiveRules(object, findDelegate, (problem) => problems.push(problem));
  const destinations = new Set<string>();
  for (const { route } of rules) for (const { destination } of route ?? []) destinations.add(destination.host);
  return {
    object,
    name: fullName(object),
    namespace,
    hosts: (object.spec.hosts ?? []).map((host) => resolveHost(host, namespace)),
    gateways: boundGateways(object.spec.gateways, namespace),
    rules,
    destinations: [...destinations],
    problems,
  };
}
