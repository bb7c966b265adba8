import type { ObjectRef } from '../../cluster/store.ts';
import { CommandError } from '../command-error.ts';
import { KINDS, type Kind, readKind } from './kinds.ts';

/** An object as a command line names it: the namespace of the command is filled in where none is written. */
export interface NamedObject extends ObjectRef {
  readonly kind: Kind;
}

/** What `KIND NAME...` or `KIND/NAME...` mean: single objects, or, without names, all of some kinds. */
export interface ObjectArguments {
  readonly kinds: readonly Kind[];
  readonly named: readonly NamedObject[];
}

/**
 * Reads `release web`, `vs web shop`, `vs,gw`, `all`, `release/web gateway/edge` and, as `perch get -A -o name` prints it,
 * `release/shop/web`. Throws CommandError where the words mean nothing.
 */
export function readObjectArguments(words: readonly string[], namespace: string): ObjectArguments {
  const [first = 'release', ...names] = words;
  if (first.includes('/')) {
    const named = words.map((word) => readPath(word, namespace));
    return { kinds: [...new Set(named.map(({ kind }) => kind))], named };
  }
  const kinds = first.toLowerCase() === 'all' ? KINDS : [...new Set(first.split(',').map(readKind))];
  const strange = names.find((name) => name.includes('/'));
  if (strange !== undefined) throw new CommandError(`${strange}: write KIND NAME..., or KIND/NAME..., not both in one command`);
  return { kinds, named: kinds.flatMap((kind) => names.map((name) => ({ kind, namespace, name }))) };
}

function readPath(word: string, namespace: string): NamedObject {
  const parts = word.split('/');
  const [kindText = '', middle = '', last] = parts;
  if (parts.length < 2 || parts.length > 3 || parts.includes(''))
    throw new CommandError(`${word}: write KIND/NAME or KIND/NAMESPACE/NAME, such as release/reviews`);
  const kind = readKind(kindText);
  return last === undefined ? { kind, namespace, name: middle } : { kind, namespace: middle, name: last };
}
