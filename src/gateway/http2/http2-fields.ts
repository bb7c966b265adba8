import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';

/** Fields (name, value, ...; names in lower case) as Node's HTTP/2 wants them; several lines of one name are a list. */
export function headersOf(fields: readonly string[]): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = Object.create(null);
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [fields[at] as string, fields[at + 1] as string];
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else headers[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
  }
  return headers;
}

/** Sends a response's head. Of a field that may stand once only, and which the upstream sent several times, the first is sent. */
export function respondWith(
  stream: ServerHttp2Stream,
  status: number,
  fields: readonly string[],
  options: { endStream?: boolean; waitForTrailers?: boolean },
): void {
  const headers = headersOf(fields);
  headers[':status'] = status;
  try {
    stream.respond(headers, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_HTTP2_HEADER_SINGLE_VALUE') throw error;
    for (const [name, value] of Object.entries(headers)) if (Array.isArray(value) && name !== 'set-cookie') headers[name] = value[0];
    stream.respond(headers, options);
  }
}
