import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import type { CookieJar } from '../core/cookies/cookie-jar.ts';
import { SYNTHETIC_USER_AGENT } from '../core/evidence/synthetic-visitor.ts';

/** One answer, its body as text. */
interface Loaded {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A page with everything that a browser loads for it. */
export interface LoadedPage {
  readonly document: Loaded;
  readonly assets: readonly Loaded[];
}

/** Loads pages for any number of visitors. */
interface PageLoader {
  /** Loads a page as a browser does: the document, then its assets in parallel. Rejects when anything breaks. */
  load(url: URL, jar: CookieJar): Promise<LoadedPage>;
  /** Cuts what is under way, which then rejects, and refuses what comes after. */
  close(): void;
}

const TIMEOUT_MS = 15_000;
const MAX_ASSETS = 20;
const DOCUMENT_HEADERS = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};
const ASSET_HEADERS = { accept: '*/*', 'sec-fetch-mode': 'no-cors' };

/** A loader whose connections all its visitors share: who one is stands in the cookie, never in the connection. */
export function createPageLoader(): PageLoader {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const underWay = new Set<ClientRequest>();
  let closed = false;

  function get(url: URL, jar: CookieJar, headers: Readonly<Record<string, string>>): Promise<Loaded> {
    return new Promise((resolve, reject) => {
      if (closed) throw new Error('the loader is closed');
      const cookie = jar.header(url.pathname);
      const outgoing = request(url, {
        agent,
        timeout: TIMEOUT_MS,
        headers: { ...headers, 'user-agent': SYNTHETIC_USER_AGENT, ...(cookie !== undefined && { cookie }) },
      });
      underWay.add(outgoing);
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
      outgoing.on('close', () => underWay.delete(outgoing));
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        jar.store(incoming.headers['set-cookie'] ?? []);
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8') });
        });
      });
      outgoing.end();
    });
  }

  return {
    load: async (url, jar) => {
      const document = await get(url, jar, DOCUMENT_HEADERS);
      const assets = await Promise.all(assetsOf(document.body, url).map((asset) => get(asset, jar, ASSET_HEADERS)));
      return { document, assets };
    },
    close: () => {
      closed = true;
      for (const outgoing of underWay) outgoing.destroy(new Error('the loader was closed'));
      agent.destroy();
    },
  };
}

/** Style sheets, icons, images and scripts that a page names on its own origin, each once. */
function assetsOf(html: string, page: URL): readonly URL[] {
  const found = new Set<string>();
  for (const [, reference = ''] of html.matchAll(/<(?:link|img|script)\b[^>]*?\s(?:href|src)="([^"]+)"/g)) {
    const asset = URL.canParse(reference, page.href) ? new URL(reference, page) : undefined;
    if (asset?.origin === page.origin && found.size < MAX_ASSETS) found.add(asset.href);
  }
  return [...found].map((href) => new URL(href));
}
