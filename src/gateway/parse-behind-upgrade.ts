import type { IncomingMessage } from 'node:http';
import type { ClientConnection } from './client-connection.ts';

/** Tells Node's server of the end of one read: how many bytes were parsed, or what is wrong with them. */
type OnExecute = (parsed: number | Error, bytes?: Uint8Array) => void;

/** What is used of the parser that Node's server gives a connection (node_http_parser.cc). */
interface NodeParser {
  execute(bytes: Uint8Array): number | Error;
  /** A copy of what is being read. */
  getCurrentBuffer(): Uint8Array;
  readonly constructor: { readonly kOnExecute: number };
  [callback: number]: OnExecute;
}

function isNodeParser(parser: unknown): parser is NodeParser {
  const known = (parser ?? {}) as Partial<NodeParser>;
  return (
    typeof known.execute === 'function' && typeof known.getCurrentBuffer === 'function' && typeof known.constructor?.kOnExecute === 'number'
  );
}

/**
 * Has parsed what follows an upgrade that is served as a plain request. Node's parser stops at the end of such a request all the
 * same: of what was read with it the rest would be lost, and the next read begin anywhere, in the middle of a body perhaps. It also
 * keeps to itself that such a request's body is malformed. Call while `request`'s head is being handed over; costs other requests nothing.
 * False where this Node's parser is another one: then the request has to be the last of its connection.
 */
export function parseBehindUpgrade(request: IncomingMessage, connection: ClientConnection): boolean {
  const { parser } = request.socket as { parser?: unknown };
  if (!isNodeParser(parser)) return false;
  const { kOnExecute } = parser.constructor;
  const onExecute = parser[kOnExecute] as OnExecute;
  parser[kOnExecute] = (parsed, bytes = parser.getCurrentBuffer()) => {
    const stopped = typeof parsed === 'number' && parsed !== bytes.length;
    if (stopped || request.complete || typeof parsed !== 'number') parser[kOnExecute] = onExecute;
    if (!stopped) {
      onExecute(parsed);
    } else if (!request.complete) {
      onExecute(Object.assign(new Error('Parse Error: malformed body'), { code: 'HPE_INTERNAL' }));
    } else {
      const rest = bytes.subarray(parsed);
      connection.behindUpgrade = true;
      const next = parser.execute(rest);
      connection.behindUpgrade = false;
      // Not `onExecute`: there may be another such request among the rest.
      (parser[kOnExecute] as OnExecute)(next, rest);
    }
  };
  return true;
}
