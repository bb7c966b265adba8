/** A port that the gateway is to listen on cannot be had: taken by another process, or not permitted. */
export class PortInUseError extends Error {
  /** The system's code: EADDRINUSE, EACCES or EADDRNOTAVAIL. */
  readonly code: string;
  readonly address: string;
  readonly port: number;

  constructor(code: string, address: string, port: number) {
    const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    super(`cannot listen on ${place}: ${REASONS.get(code) ?? code}`);
    this.name = 'PortInUseError';
    this.code = code;
    this.address = address;
    this.port = port;
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is in use'],
  ['EACCES', 'not permitted for this user'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
]);
