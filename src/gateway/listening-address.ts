/** One socket of a running gateway. */
export interface ListeningAddress {
  readonly kind: 'ingress' | 'mesh' | 'proxy';
  /** Declared port; for the proxy the one asked for. */
  readonly port: number;
  readonly address: string;
  /** Where the socket really is. */
  readonly actualPort: number;
  readonly tls: boolean;
}
