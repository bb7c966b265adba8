/** What a probe found: that the endpoint passes, or why not; or that this process could not ask, which says nothing about it. */
export type ProbeAnswer =
  | { readonly kind: 'passes' }
  | { readonly kind: 'fails'; readonly reason: string }
  | { readonly kind: 'notAsked'; readonly reason: string };

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'closed the connection without an answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'host name cannot be looked up now',
  ETIMEDOUT: 'no answer',
};

/** What this process or its machine has run out of; the endpoint was not even tried. */
const SHORTAGES: Readonly<Record<string, string>> = {
  EMFILE: 'this process has no file descriptor left: raise its limit (ulimit -n)',
  ENFILE: 'this machine has no file descriptor left',
  ENOBUFS: 'this machine has no memory left for sockets',
  ENOMEM: 'this machine has no memory left for sockets',
  EADDRNOTAVAIL: 'this machine has no local port left',
};

/** What an error of a probe's socket says. Where a name has several addresses, Node gathers their errors in one AggregateError, whose code is the first one's. */
export function answerOfError(error: Error): ProbeAnswer {
  const code = 'code' in error ? String(error.code) : error.message;
  const shortage = SHORTAGES[code];
  if (shortage !== undefined) return { kind: 'notAsked', reason: shortage };
  // The codes of Node's HTTP parser.
  return { kind: 'fails', reason: code.startsWith('HPE_') ? 'answers something that is not HTTP/1.1' : (REASONS[code] ?? code) };
}

/**
 * Runs `giveUp` once what has arrived was looked at: where this process was busy, a timer that is over comes before an answer that was there
 * in time, and an endpoint would count as silent for it. To be called in a timer.
 */
export function afterArrivals(giveUp: () => void): void {
  setImmediate(giveUp);
}
