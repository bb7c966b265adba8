import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import type { TlsServer } from '../../core/routing/tls-server.ts';
import type { GatewayLimits } from '../limits.ts';
import type { Credentials } from './credentials.ts';
import type { Credential } from './kept-credential.ts';

/** Those of Envoy for servers: forward secrecy and authenticated encryption only. Suites of TLS 1.3 are not chosen. */
const USUAL_CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
];
/** And the suites of TLS 1.3, which OpenSSL takes from the same list. */
const TLS13_CIPHERS = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** Makes TLS connections with the settings of one server of a Gateway. */
export class TlsHost {
  readonly spec: TlsServer;
  private readonly limits: GatewayLimits;
  private readonly onSecure: (socket: TLSSocket) => void;
  private unfollow = (): void => undefined;
  private isClosed = false;
  /** Undefined while there is no credential. */
  private server: Server | undefined;

  constructor(spec: TlsServer, limits: GatewayLimits, onSecure: (socket: TLSSocket) => void) {
    this.spec = spec;
    this.limits = limits;
    this.onSecure = onSecure;
  }

  /** Resolves when the credential was looked for; connections are refused until there is one. */
  async start(credentials: Credentials): Promise<void> {
    const unfollow = await credentials.follow(this.spec, (credential) => this.use(credential));
    if (this.isClosed) unfollow();
    else this.unfollow = unfollow;
  }

  /** Begins TLS on a connection of which nothing was answered. */
  accept(socket: Socket): void {
    if (this.server === undefined) socket.destroy();
    else this.server.emit('connection', socket);
  }

  /** No new connections; those that there are stay. */
  close(): void {
    this.isClosed = true;
    this.unfollow();
    this.server = undefined;
  }

  private use(credential: Credential): void {
    if (this.isClosed) return;
    const context = this.contextOf(credential);
    // Connections that were made with the one before stay.
    if (this.server === undefined) this.server = this.open(context);
    else this.server.setSecureContext(context);
  }

  private contextOf({ cert, key, ca }: Credential): SecureContextOptions {
    const { minVersion, maxVersion, cipherSuites } = this.spec;
    return {
      cert,
      key,
      ...(ca && { ca }),
      minVersion,
      maxVersion,
      ciphers: [...TLS13_CIPHERS, ...(cipherSuites.length > 0 ? cipherSuites : USUAL_CIPHERS)].join(':'),
      honorCipherOrder: true,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    };
  }

  private open(context: SecureContextOptions): Server {
    const { mutual } = this.spec;
    const server = createServer({
      ...context,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: this.limits.tlsHandshakeMs,
      ...(mutual && { requestCert: true, rejectUnauthorized: true }),
    });
    server.on('secureConnection', this.onSecure);
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }
}
