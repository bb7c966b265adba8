import { IncomingMessage } from 'node:http';

/** The headers that Node's HTTP server itself looks at, and the transport with it; by length, no two are of one. */
const LOOKED_AT: ReadonlyMap<number, string> = new Map(
  ['content-length', 'expect', 'te', 'transfer-encoding', 'upgrade'].map((name) => [name.length, name]),
);

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/**
 * A request whose `headers` has only what Node's server needs: it reads them several times for every request, most of which have none of
 * them, and making the whole object each time would cost more than routing does. Everybody else reads `rawHeaders`.
 */
export class LeanMessage extends IncomingMessage {}

Object.defineProperty(LeanMessage.prototype, 'headers', {
  get(this: LeanMessage): Readonly<Record<string, string>> {
    const { rawHeaders } = this;
    let found: Record<string, string> | undefined;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string;
      const wanted = LOOKED_AT.get(name.length);
      if (wanted === undefined || (name !== wanted && name.toLowerCase() !== wanted)) continue;
      found ??= {};
      const value = rawHeaders[at + 1] as string;
      const before = found[wanted];
      found[wanted] = before === undefined ? value : `${before}, ${value}`;
    }
    return found ?? NONE;
  },
  set: () => undefined,
});
