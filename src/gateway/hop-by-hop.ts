/**
 * Headers that a `Connection` header must not take away: a client could otherwise remove what a proxy in front of us, or
 * we ourselves, added for the application or for routing (identity, visitor id, client address, framing).
 */
const PROTECTED: ReadonlySet<string> = new Set([
  'accept',
  'authorization',
  'baggage',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expires',
  'forwarded',
  'host',
  'location',
  'origin',
  'sec-fetch-mode',
  'set-cookie',
  'traceparent',
  'tracestate',
  'user-agent',
  'vary',
  'via',
  'x-real-ip',
  'x-request-id',
]);

/** Options of `Connection` that are not names of headers, or whose headers never pass anyway. */
const OPTIONS: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade', 'te', 'http2-settings', '']);

/** The options of a `Connection` header, in lower case. */
export function connectionOptions(value: string): string[] {
  return value.split(',').map((option) => option.trim().toLowerCase());
}

/** Header names that a message's `Connection` options ask a proxy to take out (RFC 9110 section 7.6.1). */
export function nominatedHeaders(options: readonly string[]): string[] {
  return options.filter((option) => !OPTIONS.has(option) && !PROTECTED.has(option) && !option.startsWith('x-forwarded-'));
}

/** `fields` (name, value, name, value, ...; names in lower case) without the lines of the given names. */
export function withoutFields(fields: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (!names.includes(name)) kept.push(name, fields[at + 1] as string);
  }
  return kept;
}
