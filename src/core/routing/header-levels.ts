import type { HeaderOperations, Headers } from '../istio/resources.ts';
import { byteText } from './byte-text.ts';
import type { HeaderEdit, HeaderEditLevel, HeaderEdits } from './header-edits.ts';
import { parseHeaderValue } from './header-value.ts';

type Message = 'request' | 'response';

/** Edits of a route with one destination: istiod joins both levels into one (istio-semantics 1.10). */
export function singleLevel(message: Message, route: Headers | undefined, destination: Headers | undefined): HeaderEdits {
  const levels = [levelOf(route?.[message]), levelOf(destination?.[message])];
  return nonEmpty([
    {
      remove: levels.flatMap((level) => level.remove),
      set: levels.flatMap((level) => level.set),
      add: levels.flatMap((level) => level.add),
    },
  ]);
}

/** Edits of one of several weighted destinations: its own first, then those of the route. */
export function twoLevels(message: Message, route: Headers | undefined, destination: Headers | undefined): HeaderEdits {
  return nonEmpty([levelOf(destination?.[message]), levelOf(route?.[message])]);
}

/** The Host that header operations write; `set` beats `add`. It is taken literally, operators included. */
export function authorityOf(headers: Headers | undefined): string | undefined {
  for (const operations of [headers?.request?.set, headers?.request?.add]) {
    for (const [name, value] of Object.entries(operations ?? {})) if (isAuthorityName(name)) return byteText(value);
  }
  return undefined;
}

/** Whether a header name means the authority of the request. */
export function isAuthorityName(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'host' || lower === ':authority';
}

function levelOf(operations: HeaderOperations | undefined): HeaderEditLevel {
  return { remove: (operations?.remove ?? []).filter(isOrdinary).map(lower), set: editsOf(operations?.set), add: editsOf(operations?.add) };
}

/** Sorted by the name as written, as istiod does: of two spellings of one name the last one wins. */
function editsOf(entries: Readonly<Record<string, string>> | undefined): readonly HeaderEdit[] {
  return Object.entries(entries ?? {})
    .filter(([name]) => isOrdinary(name))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, text]) => {
      const value = parseHeaderValue(text);
      if (!value.ok) throw new Error(`header value ${JSON.stringify(text)} was not validated: ${value.message}`);
      return { name: lower(name), value: value.parts };
    });
}

function isOrdinary(name: string): boolean {
  return !name.startsWith(':') && !isAuthorityName(name);
}

function lower(name: string): string {
  return name.toLowerCase();
}

function nonEmpty(levels: readonly HeaderEditLevel[]): HeaderEdits {
  return levels.filter(({ remove, set, add }) => remove.length + set.length + add.length > 0);
}
