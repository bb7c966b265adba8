import type { GatewayLimits } from '../limits.ts';

/** A request's head as HTTP/1.1 would write it. */
export interface Http2Head {
  readonly method: string;
  readonly target: string;
  /** name, value, ...; with one Host, cookies in one line, and `transfer-encoding: chunked` where a body of unknown length follows. */
  readonly rawHeaders: readonly string[];
  readonly expectsContinue: boolean;
}

/** Why a head is not served: `reset`, it breaks the protocol (RFC 9113 section 8.1.1); else the status that says it. */
export interface RefusedHead {
  readonly refused: 'reset' | 431 | 501;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Field values as in HTTP/1.1: nothing that could end a line there (RFC 9113 section 8.2.1), and bytes only, as Node reads them: others would be cut to bytes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f\u0100-\uffff]|^[\t ]|[\t ]$/;
/** Fields of one HTTP/1.1 connection (RFC 9113 section 8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
/** `:protocol` is that of extended CONNECT (RFC 8441), which is not offered. */
const PSEUDO_FIELDS: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path']);
const RESET: RefusedHead = { refused: 'reset' };

/**
 * Reads the fields of a request (name, value, ... as received). What HTTP/2 forbids is refused here although nghttp2 looks, too: an upstream speaks
 * HTTP/1.1, where the same bytes would be another request. `ended`: no body follows.
 */
export function readHttp2Head(
  raw: readonly string[],
  ended: boolean,
  scheme: 'http' | 'https',
  limits: GatewayLimits,
): Http2Head | RefusedHead {
  const lines = new HeadLines();
  let size = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const [name, value] = [raw[at] as string, raw[at + 1] as string];
    size += name.length + value.length + 4;
    if (UNSAFE.test(value) || !lines.add(name, value)) return RESET;
  }
  if (lines.isConnect) return { refused: 501 };
  const target = lines.target(scheme);
  if (target === undefined || (ended && lines.length !== undefined && Number(lines.length) !== 0)) return RESET;
  if (size > limits.requestHeadBytes) return { refused: 431 };
  const rawHeaders = lines.fields;
  rawHeaders.push('host', target.authority);
  if (!ended && lines.length === undefined) rawHeaders.push('transfer-encoding', 'chunked');
  return { method: target.method, target: target.path, rawHeaders, expectsContinue: lines.expectsContinue };
}

/** The lines of one head. */
class HeadLines {
  readonly fields: string[] = [];
  length: string | undefined;
  expectsContinue = false;
  private readonly pseudo = new Map<string, string>();
  private host: string | undefined;
  private cookieAt = -1;

  get isConnect(): boolean {
    return this.pseudo.get(':method') === 'CONNECT';
  }

  /** False: the head is malformed. */
  add(name: string, value: string): boolean {
    if (name.startsWith(':')) {
      const isInPlace = PSEUDO_FIELDS.has(name) && this.fields.length === 0 && this.host === undefined && !this.pseudo.has(name);
      this.pseudo.set(name, value);
      return isInPlace;
    }
    if (!TOKEN.test(name) || CONNECTION_FIELDS.has(name)) return false;
    switch (name) {
      case 'host':
        if (this.host !== undefined) return false;
        this.host = value;
        return true;
      case 'cookie':
        this.addCookie(value);
        return true;
      case 'te':
        if (value !== 'trailers') return false;
        break;
      case 'content-length':
        if (this.length !== undefined) return false;
        this.length = value;
        break;
      case 'expect':
        this.expectsContinue = true;
        break;
      default:
    }
    this.fields.push(name, value);
    return true;
  }

  /** Where the request goes; undefined: the head is malformed. */
  target(scheme: string): { readonly method: string; readonly path: string; readonly authority: string } | undefined {
    const method = this.pseudo.get(':method');
    const path = this.pseudo.get(':path');
    const told = this.pseudo.get(':authority');
    const authority = told ?? this.host;
    if (method === undefined || path === undefined || authority === undefined) return undefined;
    if (this.pseudo.get(':scheme')?.toLowerCase() !== scheme) return undefined;
    if (told !== undefined && this.host !== undefined && told.toLowerCase() !== this.host.toLowerCase()) return undefined;
    return path.startsWith('/') || (path === '*' && method === 'OPTIONS') ? { method, path, authority } : undefined;
  }

  /** Browsers send each cookie on a line of its own (RFC 9113 section 8.2.3). */
  private addCookie(value: string): void {
    if (this.cookieAt >= 0) {
      this.fields[this.cookieAt] += `; ${value}`;
      return;
    }
    this.fields.push('cookie', value);
    this.cookieAt = this.fields.length - 1;
  }
}
