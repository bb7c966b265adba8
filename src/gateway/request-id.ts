import { randomUUID } from 'node:crypto';

/** Longer ids than this are not kept: they would be copied into every hop's headers and logs. */
const MAXIMUM_KEPT = 256;

/**
 * The `x-request-id` to send upstream, as Envoy's connection manager decides it: at an edge always a fresh UUID v4, whatever
 * the client sent; inside, the caller's, or a fresh one where there is none. (`randomUUID` draws its random bytes in batches.)
 */
export function requestIdFor(edge: boolean, received: string | undefined): string {
  if (edge || received === undefined || received === '' || received.length > MAXIMUM_KEPT) return randomUUID();
  return received;
}
