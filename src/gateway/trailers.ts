import { FIELD, fieldName } from './header-names.ts';

/**
 * Plain fields that mean nothing after a body, or too much: RFC 9110 section 6.5.1 forbids framing, routing, request modifiers,
 * authentication and content format in trailers. A server that merges trailers into headers must not get them from a stranger.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'age',
  'authorization',
  'baggage',
  'cache-control',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'content-type',
  'date',
  'expires',
  'forwarded',
  'location',
  'max-forwards',
  'origin',
  'pragma',
  'range',
  'retry-after',
  'set-cookie',
  'traceparent',
  'tracestate',
  'vary',
  'via',
  'warning',
  'www-authenticate',
  'x-real-ip',
]);

const FORBIDDEN_FAMILIES: readonly string[] = ['if-', 'sec-', 'x-forwarded-'];

function isAllowed(name: string, kind: number): boolean {
  return kind === FIELD.plain && !FORBIDDEN.has(name) && !FORBIDDEN_FAMILIES.some((family) => name.startsWith(family));
}

/**
 * The trailers (name, value, name, value, ...) that are sent on: names in lower case, without fields that must not be there and
 * those that the message's `Connection` header took out (`nominated`). Undefined where none is left.
 */
export function forwardedTrailers(received: readonly string[], nominated: readonly string[] | undefined): string[] | undefined {
  const kept: string[] = [];
  for (let at = 0; at < received.length; at += 2) {
    const { lower, kind } = fieldName(received[at] as string);
    if (isAllowed(lower, kind) && nominated?.includes(lower) !== true) kept.push(lower, received[at + 1] as string);
  }
  return kept.length === 0 ? undefined : kept;
}

/** Bytes that trailers take on the wire. */
export function trailerSize(fields: readonly string[]): number {
  let size = 0;
  for (const text of fields) size += text.length + 2;
  return size;
}

/** The end of a chunked body: last chunk, trailers, empty line; latin1 text. */
export function lastChunk(trailers: readonly string[] | undefined): string {
  if (trailers === undefined) return '0\r\n\r\n';
  let text = '0\r\n';
  for (let at = 0; at < trailers.length; at += 2) text += `${trailers[at]}: ${trailers[at + 1]}\r\n`;
  return `${text}\r\n`;
}
