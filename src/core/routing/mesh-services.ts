import { hostMatches, isWildcardHost } from '../istio/names.ts';
import type { EffectiveService } from './effective-services.ts';
import { groupByEach } from './group-by-each.ts';
import type { Service } from './service.ts';

/** On this port VirtualServices count even where none of their hosts is a service. */
const HTTP_PORT = 80;

/** The VirtualServices that are bound to the mesh, by host: those about a service are found without looking at each. */
export class MeshServices {
  readonly #all: readonly EffectiveService[];
  readonly #positions: ReadonlyMap<EffectiveService, number>;
  /** Those with a host that is a wildcard. */
  readonly #wide: readonly EffectiveService[];
  /** The others, by host in lower case. */
  readonly #narrow: ReadonlyMap<string, readonly EffectiveService[]>;

  /** In order of creation. */
  constructor(services: readonly EffectiveService[]) {
    this.#all = services;
    this.#positions = new Map(services.map((service, position) => [service, position]));
    const isWide = ({ hosts }: EffectiveService): boolean => hosts.some(isWildcardHost);
    this.#wide = services.filter(isWide);
    this.#narrow = groupByEach(
      services.filter((service) => !isWide(service)),
      ({ hosts }) => new Set(hosts.map((host) => host.toLowerCase())),
    );
  }

  /** Those that count on a port, the oldest first; `here` are the services that have it. */
  at(port: number, here: readonly Service[]): readonly EffectiveService[] {
    if (port === HTTP_PORT) return this.#all;
    const narrow = here.flatMap(({ host }) => this.#narrow.get(host) ?? []);
    const isHere = coversSome(here);
    return this.#inOrder([...new Set(narrow), ...this.#wide.filter(({ hosts }) => hosts.some(isHere))]);
  }

  /** Those that may be about a host, in lower case, the oldest first. */
  near(host: string): readonly EffectiveService[] {
    const found = this.#narrow.get(host) ?? [];
    return this.#wide.length === 0 ? found : this.#inOrder([...found, ...this.#wide]);
  }

  #inOrder(services: readonly EffectiveService[]): readonly EffectiveService[] {
    const position = (service: EffectiveService): number => this.#positions.get(service) ?? 0;
    return services.toSorted((left, right) => position(left) - position(right));
  }
}

/** Whether a host of a VirtualService covers one of the services. */
export function coversSome(services: readonly Service[]): (pattern: string) => boolean {
  const names = new Set(services.map(({ host }) => host));
  return (pattern) => names.has(pattern.toLowerCase()) || (isWildcardHost(pattern) && services.some(({ host }) => covers(pattern, host)));
}

/** Whether a host of a VirtualService is about the host of a service, which is in lower case. */
export function covers(pattern: string, host: string): boolean {
  return pattern.toLowerCase() === host || (isWildcardHost(pattern) && hostMatches(pattern.toLowerCase(), host));
}
