import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A shared cache in front of a site that keeps everything, cookies too, whatever Cache-Control says: each answer for so many requests. */
export async function startCachingProxy(origin: URL, keptFor: number): Promise<{ readonly url: URL; close(): Promise<void> }> {
  let kept: Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> | undefined;
  let uses = 0;
  const server = createServer((incoming, response) => {
    const isHit = kept !== undefined && uses < keptFor;
    uses = isHit ? uses + 1 : 1;
    if (!isHit) {
      kept = new Promise((resolve, reject) => {
        request(new URL(incoming.url ?? '/', origin), { headers: { ...incoming.headers, connection: 'close' } }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }));
        })
          .on('error', reject)
          .end();
      });
    }
    void kept?.then(
      ({ status, headers, body }) => {
        const { connection, 'transfer-encoding': _, ...rest } = headers;
        response.writeHead(status, { ...rest, 'content-length': body.length, ...(isHit && { age: '3', 'x-cache': 'HIT' }) }).end(body);
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
