import { IncomingMessage } from 'node:http';

/** The headers that Node's HTTP server itself looks at, and the transport with it. */
const LOOKED_AT: ReadonlySet<string> = new Set(['content-length', 'expect', 'host', 'te', 'transfer-encoding', 'upgrade']);
const LENGTHS: ReadonlySet<number> = new Set([...LOOKED_AT].map((name) => name.length));

/**
 * A request whose `headers` has only what Node's server needs: it reads `headers.expect` of every request, and making the
 * whole object each time would cost more than routing does. Everybody else reads `rawHeaders`.
 */
export class LeanMessage extends IncomingMessage {}

Object.defineProperty(LeanMessage.prototype, 'headers', {
  get(this: LeanMessage): Record<string, string> {
    const { rawHeaders } = this;
    const headers: Record<string, string> = {};
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string;
      if (!LENGTHS.has(name.length)) continue;
      const lower = name.toLowerCase();
      if (LOOKED_AT.has(lower)) headers[lower] = rawHeaders[at + 1] as string;
    }
    return headers;
  },
  set: () => undefined,
});
