/** The Host line of the corpus. */
export const HOST = 'Host: shop\r\n';

/** What an attacker wants to have taken for a request of its own. */
export const HIDDEN = `GET /hidden HTTP/1.1\r\n${HOST}\r\n`;

/** A GET of `/` with these header lines. */
export const get = (lines: string): string => `GET / HTTP/1.1\r\n${HOST}${lines}\r\n`;

/** A POST to `/` with these header lines and this body. */
export const post = (lines: string, body = ''): string => `POST / HTTP/1.1\r\n${HOST}${lines}\r\n${body}`;

/** A POST with a body in chunks, as they are on the wire. */
export const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);

/** A GET with this request line. */
export const line = (requestLine: string): string => `${requestLine}\r\n${HOST}\r\n`;

/** A GET of `/` with this Host line alone. */
export const host = (value: string): string => `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`;

/** A whole body in one chunk. */
export const HELLO = '5\r\nhello\r\n0\r\n\r\n';
