/** Runs Bookinfo alone, on the ports that the examples name: for `perch serve` in another terminal. Ctrl-C ends it. */
import { parseArgs } from 'node:util';
import { proxyFrom } from './mesh-client.ts';
import { BOOKINFO_PORTS, startBookinfo } from './start-bookinfo.ts';

const { values } = parseArgs({
  options: {
    // Where `perch serve` listens; HTTP_PROXY of a shell is for the way out to the Internet.
    proxy: { type: 'string', default: 'http://127.0.0.1:15080' },
    'perch-api': { type: 'string', default: 'http://127.0.0.1:7070' },
  },
});
const bookinfo = await startBookinfo({ ports: BOOKINFO_PORTS, proxy: proxyFrom(values.proxy), perchApi: values['perch-api'] });
for (const [workload, port] of Object.entries(bookinfo.ports)) console.log(`${workload.padEnd(15)} http://127.0.0.1:${port}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void bookinfo.close().then(() => process.exit(0)));
