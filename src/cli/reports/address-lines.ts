import type { ListeningAddress } from '../../gateway/gateway.ts';
import { addressText } from '../../server/route-publisher.ts';

const LOOPBACKS: readonly string[] = ['127.0.0.1', '::1'];

/** Where the gateway listens, a line each: `mesh      http://localhost:19080   (declared 9080)`. Both loopbacks at one port are localhost. */
export function addressLines(addresses: readonly ListeningAddress[]): readonly string[] {
  const lines = addresses.map((address) => {
    const { kind, port, actualPort } = address;
    const isBoth = LOOPBACKS.every((host) => addresses.some((other) => other.address === host && other.actualPort === actualPort));
    const where =
      isBoth && LOOPBACKS.includes(address.address) ? `${address.tls ? 'https' : 'http'}://localhost:${actualPort}` : addressText(address);
    return `${kind.padEnd(9)} ${where}${kind === 'proxy' || port === actualPort ? '' : `   (declared ${port})`}`;
  });
  return [...new Set(lines)];
}
