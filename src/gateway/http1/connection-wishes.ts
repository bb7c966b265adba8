import { readFraming } from '../request-framing.ts';
import type { ReceivedHead } from './request-parser.ts';

/** Among the protocols of an Upgrade header: HTTP/2, whose requests would pass all routes by. */
const H2C = /(?:^|[\s,])h2c(?:$|[\s,/])/i;

/** What a request says about its own connection and its body (RFC 9110 sections 7.6.1, 7.8 and 10.1.1; RFC 9112 section 6). */
export interface ConnectionWishes {
  /** The connection may serve another request afterwards. */
  readonly keepAlive: boolean;
  /** It may become a tunnel: an upgrade that `Connection` names, not to h2c (Envoy ignores it, too), and without a body. */
  readonly upgradable: boolean;
  /** The client waits for a 100 before it sends the body. */
  readonly expectsContinue: boolean;
  /** `length` in bytes; `uncertain`: whoever reads the request refuses it, and what follows is nobody's. */
  readonly body: { readonly length: number } | 'chunked' | 'none' | 'uncertain';
}

const PLAIN: ConnectionWishes = { keepAlive: true, upgradable: false, expectsContinue: false, body: 'none' };
const LENGTHS: readonly string[] = ['connection', 'content-length', 'expect', 'transfer-encoding', 'upgrade'];
/** The names that are looked at, by their length: no two are of one. */
const BY_LENGTH: readonly (string | undefined)[] = Array.from({ length: 18 }, (_, length) =>
  LENGTHS.find((name) => name.length === length),
);

/** Reads what a request wishes of its connection; most wish nothing, which costs no memory. */
export function readWishes({ version, rawHeaders }: ReceivedHead): ConnectionWishes {
  let found: Map<string, string[]> | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] as string;
    const name = BY_LENGTH[raw.length];
    if (name === undefined || (raw !== name && raw.toLowerCase() !== name)) continue;
    found ??= new Map();
    const values = found.get(name);
    if (values === undefined) found.set(name, [rawHeaders[at + 1] as string]);
    else values.push(rawHeaders[at + 1] as string);
  }
  if (version === '1.1' && found === undefined) return PLAIN;
  return interpret(version, found ?? new Map());
}

function interpret(version: string, lines: ReadonlyMap<string, readonly string[]>): ConnectionWishes {
  const options = (lines.get('connection') ?? []).join(',').toLowerCase().split(',').map(trimmed);
  const body = bodyOf(lines.get('content-length') ?? [], lines.get('transfer-encoding') ?? []);
  const upgrade = lines.get('upgrade')?.join(',');
  return {
    // HTTP/1.0 is refused, whatever it says.
    keepAlive: version === '1.1' && !options.includes('close'),
    upgradable: upgrade !== undefined && options.includes('upgrade') && !H2C.test(upgrade) && body === 'none',
    expectsContinue: body !== 'none' && (lines.get('expect') ?? []).some((value) => value.toLowerCase() === '100-continue'),
    body,
  };
}

function bodyOf(contentLengths: readonly string[], transferEncodings: readonly string[]): ConnectionWishes['body'] {
  const framing = readFraming({
    count: contentLengths.length + transferEncodings.length,
    contentLength: contentLengths[0],
    transferEncoding: transferEncodings[0],
  });
  if (typeof framing !== 'string') return 'uncertain';
  return framing === 'length' ? { length: Number(contentLengths[0]) } : framing;
}

function trimmed(option: string): string {
  return option.trim();
}
