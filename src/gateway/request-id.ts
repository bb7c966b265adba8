/** Longer ids than this are not kept: they would be copied into every hop's headers and logs. */
const MAXIMUM_KEPT = 256;

/**
 * The `x-request-id` to send upstream, as Envoy's connection manager decides it: at an edge always a fresh UUID v4, whatever
 * the client sent; inside, the caller's, or a fresh one where there is none.
 */
export function requestIdFor(edge: boolean, received: string | undefined, uuid: () => string): string {
  if (edge || received === undefined || received === '' || received.length > MAXIMUM_KEPT) return uuid();
  return received;
}
