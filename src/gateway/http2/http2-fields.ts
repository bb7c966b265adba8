import type { OutgoingHttpHeaders } from 'node:http2';

/** Fields (name, value, ...; names in lower case) as Node's HTTP/2 wants them; several lines of one name are a list. */
function headersOf(fields: readonly string[]): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = Object.create(null);
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [fields[at] as string, fields[at + 1] as string];
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else headers[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
  }
  return headers;
}

/**
 * Sends fields (name, value, ...). Of a field that may stand once only, and which the upstream sent several times, the first is sent. False: Node
 * sends such fields not at all.
 */
export function sendFields(fields: readonly string[], send: (headers: OutgoingHttpHeaders) => void): boolean {
  const headers = headersOf(fields);
  for (;;) {
    try {
      send(headers);
      return true;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const name = code === 'ERR_HTTP2_HEADER_SINGLE_VALUE' ? (/"(.+)"/.exec(message)?.[1] ?? '') : '';
      const values = headers[name];
      if (!Array.isArray(values)) return false;
      headers[name] = values[0];
    }
  }
}
