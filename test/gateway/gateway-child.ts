// Started by gateway-process.ts: a gateway that forwards everything to one port, and tells its memory when asked.
import { existsSync, readFileSync } from 'node:fs';
import { clusterAt, everythingTo, startTestGateway } from './running-gateway.ts';

const { ingress } = await startTestGateway(everythingTo(clusterAt(Number(process.argv[2]))));
const STATUS = '/proc/self/status';

/** Bytes. What `getrusage` says begins, on Linux, with the peak of whoever forked this process. */
function peakMemory(): number {
  if (!existsSync(STATUS)) return process.resourceUsage().maxRSS * 1024;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(STATUS, 'utf8'))?.[1]) * 1024;
}

process.on('message', () => process.send?.(peakMemory()));
process.on('disconnect', () => process.exit());
process.send?.(ingress);
