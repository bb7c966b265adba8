import { createHash } from 'node:crypto';
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { CookieJar } from '../../core/cookies/cookie-jar.ts';
import { DOCTOR_USER_AGENT } from '../../core/evidence/synthetic-visitor.ts';
import type { Answer, Body } from '../../core/probe/observations.ts';
import type { Capture } from '../../core/routing/capture-pattern.ts';

/** How a browser asks: for a page, or for a part of one. */
export type Asking = 'document' | 'asset';

/** The site, and what is taken from its answers. */
export interface SiteClientOptions {
  readonly url: URL;
  /** Takes the version from a body. */
  readonly capture: Capture | undefined;
  /** For one answer, from the request to the end of its body, in ms. */
  readonly timeoutMs: number;
  /** How much of a body is read, in bytes; the rest is not waited for. */
  readonly bodyBytes: number;
  /** Ends everything that is under way. */
  readonly signal: AbortSignal;
  /** Called before each hop after the first: redirects are requests too. */
  readonly beforeRedirect: () => Promise<void>;
}

/** Sends requests to one origin, and to no other. */
export interface SiteClient {
  /** Never rejects: what goes wrong is in the answer. Without a jar no cookie is sent and none is kept. */
  ask(asking: Asking, jar: CookieJar | undefined, extra?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): void;
}

const MAX_REDIRECTS = 5;
/** A body this short is kept as it is. */
const SHORT_TEXT = 40;
const HEADERS: Readonly<Record<Asking, Readonly<Record<string, string>>>> = {
  document: {
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  },
  asset: { accept: '*/*', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
};
const NOTHING: Body = { digest: '', bytes: 0 };

/** Opens a client; connections are shared by its visitors: who one is stands in the cookie, never in the connection. */
export function openSiteClient({ url, capture, timeoutMs, bodyBytes, signal, beforeRedirect }: SiteClientOptions): SiteClient {
  const isHttps = url.protocol === 'https:';
  const agent = isHttps ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  let answered = 0;

  function get(
    at: URL,
    headers: Readonly<Record<string, string>>,
    mayRetry = true,
  ): Promise<{ readonly head: IncomingMessage; readonly body: Body }> {
    return new Promise((resolve, reject) => {
      const deadline = AbortSignal.timeout(timeoutMs);
      const send = isHttps ? requestHttps : requestHttp;
      const outgoing: ClientRequest = send(at, { agent, headers, signal: AbortSignal.any([signal, deadline]) });
      const fail = (error: Error): void => reject(deadline.aborted ? new Error(`no whole answer in ${timeoutMs / 1000} s`) : error);
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The site closed an idle connection just when it was used again: no failure of the site.
        if (outgoing.reusedSocket && error.code === 'ECONNRESET' && mayRetry && !signal.aborted) resolve(get(at, headers, false));
        else fail(error);
      });
      outgoing.on('response', (head) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        const finish = (): void => resolve({ head, body: bodyOf(Buffer.concat(chunks).subarray(0, bodyBytes), capture) });
        head.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes < bodyBytes) return;
          finish();
          outgoing.destroy();
        });
        head.on('end', finish);
        head.on('error', fail);
      });
      outgoing.end();
    });
  }

  async function follow(
    asking: Asking,
    jar: CookieJar | undefined,
    extra: Readonly<Record<string, string>>,
  ): Promise<Omit<Answer, 'order'>> {
    const setCookies: string[] = [];
    let at = url;
    for (let hop = 0; ; hop++) {
      const cookie = jar?.header(at.pathname);
      const { head, body } = await get(at, {
        ...HEADERS[asking],
        'accept-encoding': 'identity',
        ...extra,
        'user-agent': DOCTOR_USER_AGENT,
        ...(cookie !== undefined && { cookie }),
      });
      const lines = head.headers['set-cookie'] ?? [];
      setCookies.push(...lines);
      jar?.store(lines, at.pathname);
      const status = head.statusCode ?? 0;
      const to = redirectOf(status, head.headers.location, at);
      if (to === undefined) {
        return { status, headers: headersOf(head), setCookies, cookies: jar?.sent(url.pathname) ?? valuesOf(setCookies), body };
      }
      if (to.origin !== url.origin) throw new Error(`it redirects to ${to.origin}, another origin`);
      if (hop === MAX_REDIRECTS) throw new Error(`it redirects more than ${MAX_REDIRECTS} times`);
      at = to;
      await beforeRedirect();
    }
  }

  return {
    ask: async (asking, jar, extra = {}) => {
      try {
        const answer = await follow(asking, jar, extra);
        return { ...answer, order: answered++ };
      } catch (error) {
        const failure = error instanceof Error ? reason(error) : String(error);
        return { order: answered++, status: 0, failure, headers: new Map(), setCookies: [], cookies: new Map(), body: NOTHING };
      }
    },
    close: () => agent.destroy(),
  };
}

function redirectOf(status: number, location: string | undefined, from: URL): URL | undefined {
  if (status < 301 || status > 308 || status === 304 || location === undefined) return undefined;
  return URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

function headersOf({ headers }: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).flatMap(([name, value]) =>
      name === 'set-cookie' || value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
    ),
  );
}

/** What a client that keeps nothing was given, as far as a version may be told by it. */
function valuesOf(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(lines.map((line) => [line.split('=', 1)[0]?.trim() ?? '', /=([^;]*)/.exec(line)?.[1]?.trim() ?? '']));
}

function bodyOf(bytes: Buffer, capture: Capture | undefined): Body {
  const digest = createHash('sha256').update(bytes).digest('base64url');
  const text = capture !== undefined || bytes.length <= SHORT_TEXT ? bytes.toString('utf8') : undefined;
  const captured = text === undefined ? undefined : capture?.(text);
  const isShort = text !== undefined && bytes.length <= SHORT_TEXT && !/\p{Cc}/u.test(text.trim());
  return { digest, bytes: bytes.length, ...(isShort && { text }), ...(captured !== undefined && { captured }) };
}

/** Node's words for what people would say otherwise; a host with several addresses fails with several errors and an empty message. */
function reason(error: Error & { readonly code?: string; readonly errors?: readonly Error[] }): string {
  const first = error.message === '' ? (error.errors?.[0] ?? error) : error;
  const { code = '' } = first as { code?: string };
  const said: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there; start the site, or correct the port',
    ENOTFOUND: 'there is no such host; correct the name',
    ECONNRESET: 'the connection was cut',
    EPROTO: 'it does not speak TLS there; try http',
  };
  return said[code] ?? first.message;
}
