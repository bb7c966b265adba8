import type { CompiledRoute } from './compile-route.ts';
import type { Condition } from './conditions.ts';
import type { RoutedRequest } from './routed-request.ts';

/** A route that does not take a request, and the first condition that does not hold. */
export interface PassedRoute {
  readonly route: CompiledRoute;
  readonly failed: Condition | undefined;
}

/** Which route takes a request, and why those before it do not. */
export interface Explained {
  readonly found: CompiledRoute | undefined;
  readonly passed: readonly PassedRoute[];
  /** Count of further ones that were passed. */
  readonly omitted: number;
}

/** The routes of one host, in order: the first that matches answers. Found by path, so that a request does not pay for every rule there is. */
export class RouteList {
  /** Every text with which the path of some route has to begin, sorted by code units. */
  readonly #texts: readonly string[];
  /** For each text, the index of the longest other one that it begins with; -1: none. */
  readonly #parents: readonly number[];
  readonly #routes: readonly CompiledRoute[];
  /** For each text, what a path may match that begins with it and with no longer one. Made at first use: most tables are soon replaced. */
  readonly #candidates: (readonly CompiledRoute[] | undefined)[] = [];
  /** Routes for any path. */
  readonly #anywhere: readonly CompiledRoute[];

  constructor(routes: readonly CompiledRoute[]) {
    this.#routes = routes;
    this.#anywhere = routes.filter(({ pathStart }) => pathStart === '');
    this.#texts = [...new Set(routes.map(({ pathStart }) => pathStart))].filter((text) => text !== '').sort(byCodeUnits);
    this.#parents = parentsOf(this.#texts);
  }

  /** The first route that matches. */
  find(request: RoutedRequest): CompiledRoute | undefined {
    for (const route of this.#candidatesFor(request.path)) if (matches(route, request)) return route;
    return undefined;
  }

  /** Why the first `most` routes before the one that `find` gives do not match, in order; all do not where it gives none. */
  explain(request: RoutedRequest, most: number): Explained {
    const found = this.find(request);
    const end = found === undefined ? this.#routes.length : this.#routes.indexOf(found);
    const passed = this.#routes.slice(0, Math.min(end, most)).map((route): PassedRoute => {
      return { route, failed: route.conditions.find((condition) => !condition.holds(request)) };
    });
    return { found, passed, omitted: end - passed.length };
  }

  #candidatesFor(path: string): readonly CompiledRoute[] {
    // Whatever lies between a text and a path that begins with it begins with it too: the longest fitting text is the last one that does
    // not come after the path, or one that this begins with.
    let at = lastNotAfter(this.#texts, path);
    while (at >= 0 && !path.startsWith(this.#texts[at] ?? '')) at = this.#parents[at] ?? -1;
    if (at < 0) return this.#anywhere;
    this.#candidates[at] ??= this.#collect(at);
    return this.#candidates[at] ?? [];
  }

  #collect(at: number): readonly CompiledRoute[] {
    const text = this.#texts[at] ?? '';
    return this.#routes.filter(({ pathStart }) => text.startsWith(pathStart));
  }
}

function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : 1;
}

function parentsOf(texts: readonly string[]): readonly number[] {
  const parents: number[] = [];
  for (const [index, text] of texts.entries()) {
    let parent = index - 1;
    while (parent >= 0 && !text.startsWith(texts[parent] ?? '')) parent = parents[parent] ?? -1;
    parents.push(parent);
  }
  return parents;
}

/** Index of the last text that is not after the path; -1: all are. */
function lastNotAfter(texts: readonly string[], path: string): number {
  let low = 0;
  let high = texts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((texts[middle] ?? '') <= path) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function matches({ conditions }: CompiledRoute, request: RoutedRequest): boolean {
  for (const condition of conditions) if (!condition.holds(request)) return false;
  return true;
}
