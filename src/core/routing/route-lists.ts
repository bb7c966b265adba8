import type { CompiledRoute } from './compile-route.ts';
import { RouteList } from './route-list.ts';

/** Route lists, each made once for the routes that it is of. */
export class RouteLists {
  readonly #plain = new WeakMap<readonly CompiledRoute[], RouteList>();
  readonly #joined = new WeakMap<readonly CompiledRoute[], Joined>();

  /** The routes in their order. */
  plain(routes: readonly CompiledRoute[]): RouteList {
    const list = this.#plain.get(routes) ?? new RouteList(routes);
    this.#plain.set(routes, list);
    return list;
  }

  /** The routes of several objects one after the other, but those that take everything last. */
  joined(parts: readonly (readonly CompiledRoute[])[]): RouteList {
    const [first = []] = parts;
    const last = this.#joined.get(first);
    if (last?.parts.length === parts.length && last.parts.every((part, index) => part === parts[index])) return last.list;
    const routes = parts.flat();
    const ordered = [...routes.filter(({ isCatchAll }) => !isCatchAll), ...routes.filter(({ isCatchAll }) => isCatchAll)];
    const list = new RouteList(ordered);
    this.#joined.set(first, { parts, list });
    return list;
  }
}

interface Joined {
  readonly parts: readonly (readonly CompiledRoute[])[];
  readonly list: RouteList;
}
