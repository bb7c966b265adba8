import { boundGateways, resolveHost } from '../istio/names.ts';
import type { HTTPRoute, VirtualService } from '../istio/resources.ts';
import { type DelegateProblem, delegatesOf, effectiveRules, isDelegate } from './delegates.ts';

/** A VirtualService with its names resolved and its delegates merged in. */
export interface EffectiveService {
  readonly object: VirtualService;
  readonly namespace: string;
  readonly hosts: readonly string[];
  /** Full names of those that it names, or `mesh`. */
  readonly gateways: readonly string[];
  readonly rules: readonly HTTPRoute[];
  readonly problems: readonly DelegateProblem[];
}

interface Known {
  readonly service: EffectiveService;
  /** What was merged in, by the names that the rules ask for. */
  readonly delegates: ReadonlyMap<string, VirtualService | undefined>;
}

/** Effective services, each made once for its object and the delegates that it had then. */
export class EffectiveServices {
  readonly #known = new WeakMap<VirtualService, Known>();

  /** Of the objects with hosts, in their order. */
  of(objects: readonly VirtualService[]): readonly EffectiveService[] {
    const delegates = delegatesOf(objects);
    return objects.filter((object) => !isDelegate(object)).map((object) => this.#of(object, delegates));
  }

  #of(object: VirtualService, delegates: ReadonlyMap<string, VirtualService>): EffectiveService {
    const last = this.#known.get(object);
    if (last !== undefined && [...last.delegates].every(([name, delegate]) => delegates.get(name) === delegate)) return last.service;
    const made = makeEffective(object, delegates);
    this.#known.set(object, made);
    return made.service;
  }
}

function makeEffective(object: VirtualService, delegates: ReadonlyMap<string, VirtualService>): Known {
  const namespace = object.metadata.namespace ?? 'default';
  const merged = new Map<string, VirtualService | undefined>();
  const problems: DelegateProblem[] = [];
  const find = (name: string): VirtualService | undefined => {
    const delegate = delegates.get(name);
    merged.set(name, delegate);
    return delegate;
  };
  const service = {
    object,
    namespace,
    hosts: (object.spec.hosts ?? []).map((host) => resolveHost(host, namespace)),
    gateways: boundGateways(object.spec.gateways, namespace),
    rules: effectiveRules(object, find, (problem) => problems.push(problem)),
    problems,
  };
  return { service, delegates: merged };
}
