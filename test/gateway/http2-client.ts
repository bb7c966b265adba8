import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';

/** An HTTP/2 client of Node, of the host `shop.test`. */
export async function openHttp2(port: number): Promise<ClientHttp2Session> {
  const client = connect(`https://127.0.0.1:${port}`, { servername: 'shop.test', rejectUnauthorized: false });
  client.on('error', () => undefined);
  await once(client, 'connect');
  return client;
}

/** What came of a request. */
export interface Answer {
  readonly headers: IncomingHttpHeaders & { readonly ':status'?: number | undefined };
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
  readonly interim: readonly unknown[];
  /** Code of the reset; 0: there was none. */
  readonly code: number;
}

/** Reads a stream to its end. */
export function read(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve) => {
    let headers: Answer['headers'] = {};
    let trailers = {};
    let body = '';
    const interim: unknown[] = [];
    stream.on('headers', (fields) => interim.push(fields[':status']));
    stream.on('response', (fields) => {
      headers = fields;
    });
    stream.on('trailers', (fields) => {
      trailers = fields;
    });
    stream.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve({ headers, body, trailers, interim, code: stream.rstCode }));
  });
}

/** Asks with one request, whose body is there at once. */
export function ask(client: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string): Promise<Answer> {
  const stream = client.request({ ':authority': 'shop.test', ...headers });
  const answer = read(stream);
  stream.end(body);
  return answer;
}
