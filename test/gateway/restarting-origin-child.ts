// Started by restarting-origin.ts: answers with the request's nonce, and resets a share of its connections.
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { seededRandom } from '../harness/seeded-random.ts';
import { bodyFor } from './restarting-origin.ts';

const [, , port, log, badShare, seed] = process.argv;
const random = seededRandom(Number(seed));
// Written at once, so that nothing is lost when the process is killed.
const file = openSync(log ?? '', 'a');

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const nonce = String(request.headers['x-nonce']);
  writeSync(file, `${nonce}\n`);
  request.resume().on('end', () => {
    const body = bodyFor(nonce, Number(request.headers['x-bytes']));
    const framing = random() < 0.5 ? `Content-Length: ${body.length}` : 'Transfer-Encoding: chunked';
    const isChunked = framing.startsWith('Transfer');
    const whole = `HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${isChunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body}`;
    if (random() >= Number(badShare)) {
      if (isChunked) response.write(body);
      else response.setHeader('content-length', body.length);
      response.end(isChunked ? undefined : body);
      return;
    }
    // Anywhere: before the first byte, within the head, within the body, before the very last byte.
    const where = random();
    const cut = where < 0.3 ? 0 : Math.floor(random() * (where < 0.6 ? 40 : whole.length));
    const { socket } = request;
    if (cut === 0) socket.resetAndDestroy();
    else socket.write(whole.slice(0, cut), () => socket.resetAndDestroy());
  });
});
server.listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
process.on('disconnect', () => process.exit());
