import { type Alias, isAlias, isCollection, isNode, isPair, type Node } from 'yaml';

/** How many values all aliases of one document may add to what is written out. */
export const MAX_ALIAS_GROWTH = 10_000;

/** Why an alias cannot be followed. */
export interface AliasProblem {
  readonly kind: 'unknown' | 'circular' | 'too many';
  readonly alias: Alias;
}

/** What each alias of a document stands for, up to the first problem. */
export interface Aliases {
  readonly targets: ReadonlyMap<Alias, Node>;
  readonly problem?: AliasProblem;
}

/**
 * Follows the aliases of a parsed document before anything expands them: an alias bomb is small as text and huge as a value.
 * The document must not be converted if there is a problem. Time is linear in the text (the library's own resolve() walks the
 * whole document for each alias).
 */
export function followAliases(contents: Node | null): Aliases {
  const targets = new Map<Alias, Node>();
  const anchors = new Map<string, Node>();
  const sizes = new Map<Node, number>();
  let growth = 0;
  let problem: AliasProblem | undefined;

  const sizeOfAlias = (alias: Alias): number => {
    const target = anchors.get(alias.source);
    const size = target === undefined ? undefined : sizes.get(target);
    if (target === undefined || size === undefined) {
      problem = { kind: target === undefined ? 'unknown' : 'circular', alias };
      return 0;
    }
    targets.set(alias, target);
    growth += size;
    if (growth > MAX_ALIAS_GROWTH) problem = { kind: 'too many', alias };
    return size;
  };

  const sizeOf = (node: unknown): number => {
    if (problem !== undefined) return 0;
    if (isPair(node)) return sizeOf(node.key) + sizeOf(node.value);
    if (isAlias(node)) return sizeOfAlias(node);
    if (!isNode(node)) return 1;
    // The anchor stands from here on, but its size is known only at its end: an alias in between is circular.
    const anchor = 'anchor' in node ? node.anchor : undefined;
    if (anchor !== undefined) anchors.set(anchor, node);
    let size = 1;
    if (isCollection(node)) for (const item of node.items) size += sizeOf(item);
    if (anchor !== undefined) sizes.set(node, size);
    return size;
  };

  sizeOf(contents);
  return problem === undefined ? { targets } : { targets, problem };
}
