// Started by gateway-process.ts: a gateway that forwards everything to one port, and tells its memory when asked.
import { clusterAt, everythingTo, startTestGateway } from './running-gateway.ts';

const { ingress } = await startTestGateway(everythingTo(clusterAt(Number(process.argv[2]))));
process.on('message', () => process.send?.(process.resourceUsage().maxRSS * 1024));
process.on('disconnect', () => process.exit());
process.send?.(ingress);
