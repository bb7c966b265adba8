import { freePort } from '../gateway/free-port.ts';
import { type SpawnedProxy, spawnProxy } from '../gateway/spawn-proxy.ts';

/** Answers whatever it reads with one text of the size of the bench's answers, and knows no HTTP. Plain JavaScript: stripping types takes memory. */
const PROGRAM = `
const answer = 'HTTP/1.1 200 OK\\r\\ncontent-length: 1024\\r\\n\\r\\n' + 'x'.repeat(1024);
require('node:net').createServer((client) => {
  client.on('error', () => {}).on('data', () => client.write(answer));
}).listen(Number(process.argv[1]), '127.0.0.1');
`;

/** What no program on this Node can have less than: one that only listens and answers, with Node's own defaults, on one core. */
export async function startBareNode(core: number): Promise<SpawnedProxy> {
  const port = await freePort();
  return spawnProxy({ name: process.execPath, core, port, configure: () => ['-e', PROGRAM, String(port)] });
}
