import type { Hono } from 'hono';
import { type Certificate, CertificateError, keepCertificate, readCertificate } from '../cluster/certificates/certificate-files.ts';
import { type ApiPlace, ApiPlaceError, refuseOpenPlace } from './access/api-place.ts';
import { keepTokens } from './access/keep-tokens.ts';
import { readTokens, TokenFileError, type Tokens } from './access/token-file.ts';
import type { ApiEnv, OwnNames } from './api-guards.ts';
import { listenForApi } from './api-listener.ts';
import { asListenError } from './listen-error.ts';
import type { RuntimeLog } from './runtime-log.ts';

/** Who may ask an API, and by which names. */
export interface ApiAccess extends OwnNames {
  /** As the file is now; undefined: everybody may do everything. */
  readonly tokens: () => Tokens | undefined;
}

/** An API on loopback without tokens. */
export const OPEN_ON_LOOPBACK: ApiAccess = { hosts: [], tokens: () => undefined };

/** An API that is open. */
export interface OpenApi {
  readonly port: number;
  /** Where it is, for people: with the loopback address where it is on all of them. */
  readonly origin: string;
  close(): Promise<void>;
}

interface OpenApiOptions {
  readonly createApp: (access: ApiAccess) => Hono<ApiEnv>;
  readonly log: RuntimeLog;
  /** How often the files are looked at, in ms; default 10 s. */
  readonly rereadMs?: number;
}

const REREAD_MS = 10_000;

/**
 * Opens an API at a place. Its certificate and its tokens are taken up as their files change; connections that are open go on.
 * @throws ApiPlaceError where it would stand open, or its files are of no use; ListenError.
 */
export async function openApi(place: ApiPlace, { createApp, log, rereadMs = REREAD_MS }: OpenApiOptions): Promise<OpenApi> {
  refuseOpenPlace(place);
  const { port, bind, tls, tokenFile } = place;
  const certificate = tls === undefined ? undefined : await readCertificate(tls).catch(explain);
  const first = tokenFile === undefined ? undefined : await readTokens(tokenFile).catch(explain);
  let tokens = first;
  const app = createApp({
    tokens: () => tokens,
    hosts: (place.hosts ?? []).map((host) => host.toLowerCase()),
    isBehindTls: place.insecureHttp === true,
  });
  const listener = await listenForApi(app, { port, bind, certificate }).catch((error: unknown) => {
    if (asListenError(error) !== undefined) throw error;
    throw new ApiPlaceError('PERCH4092', `the API cannot listen at ${bind}: ${messageOf(error)}`, error);
  });
  const stop = new AbortController();
  const keeping = { rereadMs, log, signal: stop.signal };
  if (tls !== undefined && certificate !== undefined) {
    const onChange = (next: Certificate): void => listener.showCertificate(next);
    void keepCertificate(certificate, { ...keeping, files: tls, owner: 'the API', whenOver: 'clients refuse it', onChange });
  }
  if (tokenFile !== undefined && first !== undefined) {
    const onChange = (next: Tokens): void => {
      tokens = next;
    };
    void keepTokens(first, { ...keeping, file: tokenFile, onChange });
  }
  return {
    port: listener.port,
    origin: `${tls === undefined ? 'http' : 'https'}://${hostFor(bind)}:${listener.port}`,
    close: async () => {
      stop.abort();
      await listener.close();
    },
  };
}

/** Throws it as an ApiPlaceError. */
function explain(error: unknown): never {
  if (error instanceof CertificateError) throw new ApiPlaceError('PERCH4094', error.message, error);
  if (error instanceof TokenFileError) throw new ApiPlaceError('PERCH4093', error.message, error);
  throw error;
}

function hostFor(bind: string | undefined): string {
  if (bind === undefined || bind === '0.0.0.0' || bind === '::') return '127.0.0.1';
  return bind.includes(':') ? `[${bind}]` : bind;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
