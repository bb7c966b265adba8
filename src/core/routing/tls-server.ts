import { hostMatches, isWildcardHost } from '../istio/names.ts';
import type { ServerTLSSettings } from '../istio/resources.ts';

/** Where a certificate, its key and, for `mutual`, the authorities of clients are found. */
export type CertificateSource =
  | { readonly credentialName: string }
  | { readonly certificate: string; readonly privateKey: string; readonly authorities: string | undefined };

/** An HTTPS server of a Gateway as its listener needs it: for which names, and with which TLS. */
export interface TlsServer {
  /** Differs where anything here differs: a connection is bound to what its handshake was made with. */
  readonly id: string;
  /** For people: `Gateway default/edge, server https`. */
  readonly title: string;
  /** Names that clients may ask for (SNI), in lower case; `*.example.com`; with `*` also clients that name none. */
  readonly serverNames: readonly string[];
  readonly source: CertificateSource;
  /** Clients have to show a certificate. */
  readonly mutual: boolean;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Cipher suites of TLS 1.2; empty: the usual ones. */
  readonly cipherSuites: readonly string[];
}

/** Reads the settings of an HTTPS server, which were validated. Without `maxProtocolVersion` it is TLS 1.3, without `minProtocolVersion` 1.2, as in Istio. */
export function tlsServerOf(title: string, hosts: readonly string[], tls: ServerTLSSettings): TlsServer {
  const { credentialName, serverCertificate = '', privateKey = '', caCertificates } = tls;
  const server = {
    title,
    serverNames: [...new Set(hosts.map(serverNameOf))],
    source: credentialName === undefined ? { certificate: serverCertificate, privateKey, authorities: caCertificates } : { credentialName },
    mutual: tls.mode === 'MUTUAL',
    minVersion: tls.minProtocolVersion === 'TLSV1_3' ? 'TLSv1.3' : 'TLSv1.2',
    maxVersion: tls.maxProtocolVersion === 'TLSV1_2' ? 'TLSv1.2' : 'TLSv1.3',
    cipherSuites: [...new Set(tls.cipherSuites ?? [])],
  } as const;
  return { ...server, id: JSON.stringify(server) };
}

/**
 * Whether a connection that was made with one server is served by another (`id` of each) until it closes: the same server of the same Gateway, whose
 * names or settings have changed since; not where clients now have to show a certificate, or no longer.
 */
export function succeeds(former: string, present: string): boolean {
  const [one, other] = [former, present].map((id) => JSON.parse(id) as TlsServer);
  return one?.title === other?.title && one?.mutual === other?.mutual;
}

/** The name by which clients ask for a host of a server: without the namespace before it. */
export function serverNameOf(host: string): string {
  return host.slice(host.indexOf('/') + 1).toLowerCase();
}

/**
 * Which of the servers a client gets that asks for `name` (lower case; undefined: for none): the one with that very name, else with the
 * longest wildcard for it, else the one for all (envoy FilterChainManager). Undefined: none, and the connection is refused.
 */
export function serverForName(servers: readonly TlsServer[], name: string | undefined): TlsServer | undefined {
  let found: TlsServer | undefined;
  let length = -1;
  for (const server of servers) {
    for (const pattern of server.serverNames) {
      if (pattern === '*' ? length >= 0 : name === undefined || !hostMatches(pattern, name)) continue;
      if (!isWildcardHost(pattern)) return server;
      const covered = pattern === '*' ? 0 : pattern.length;
      if (covered <= length) continue;
      length = covered;
      found = server;
    }
  }
  return found;
}
