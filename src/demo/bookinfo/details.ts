import type { Environment } from './environment.ts';
import { FORWARDED_HEADERS, pickForwarded } from './forwarded-headers.ts';
import { json, notFound, type RunningService, startHttpService } from './http-service.ts';

/** How details runs: the port of 127.0.0.1 (0: any free one), and what Bookinfo reads from the environment. */
interface DetailsOptions {
  readonly port: number;
  /** ENABLE_EXTERNAL_BOOK_SERVICE=true asks Google Books (Bookinfo's v2), with DO_NOT_ENCRYPT=true over plain HTTP. */
  readonly env?: Environment;
  /** Lower-case names of the request headers passed on. */
  readonly forward?: readonly string[];
  /** Origin of the book service, without a slash at the end; default: Google's. */
  readonly bookService?: string;
}

/** The book as details answers it. */
export interface BookDetails {
  readonly id: number;
  readonly author: string;
  readonly year: number;
  readonly type: string;
  readonly pages: number;
  readonly publisher: string;
  readonly language: string;
  readonly 'ISBN-10': string;
  readonly 'ISBN-13': string;
}

const EXTERNAL_TIMEOUT_MS = 5_000;
const EXTERNAL_ISBN = '0486424618';

/** Bookinfo's details: `GET /details/N`. */
export function startDetails(options: DetailsOptions): Promise<RunningService> {
  const env = options.env ?? {};
  const external = env['ENABLE_EXTERNAL_BOOK_SERVICE'] === 'true';
  const scheme = env['DO_NOT_ENCRYPT'] === 'true' ? 'http' : 'https';
  const bookService = options.bookService ?? `${scheme}://www.googleapis.com`;
  return startHttpService(options.port, async (request) => {
    if (request.path === '/health') return json(200, { status: 'Details is healthy' });
    const product = /^\/details\/([^/]*)$/.exec(request.path)?.[1];
    if (product === undefined || request.method !== 'GET') return notFound();
    if (!/^\d{1,9}$/.test(product)) return json(400, { error: 'please provide numeric product id' });
    if (!external) return json(200, builtInDetails(Number(product)));
    const headers = pickForwarded(request.headers, options.forward ?? FORWARDED_HEADERS);
    return json(200, await externalDetails(Number(product), bookService, headers));
  });
}

function builtInDetails(id: number): BookDetails {
  return {
    id,
    author: 'William Shakespeare',
    year: 1595,
    type: 'paperback',
    pages: 200,
    publisher: 'PublisherA',
    language: 'English',
    'ISBN-10': '1234567890',
    'ISBN-13': '123-1234567890',
  };
}

/** The fields of Google Books' volumes answer that are shown (developers.google.com/books/docs/v1/reference/volumes). */
interface Volume {
  readonly authors?: readonly string[];
  readonly publishedDate?: string;
  readonly printType?: string;
  readonly pageCount?: number;
  readonly publisher?: string;
  readonly language?: string;
  readonly industryIdentifiers?: readonly { readonly type: string; readonly identifier: string }[];
}

async function externalDetails(id: number, bookService: string, headers: Record<string, string | string[]>): Promise<BookDetails> {
  const outgoing = new Headers();
  // The visitor's cookies and credentials are for our own services only.
  for (const [name, value] of Object.entries(headers)) {
    if (name !== 'cookie' && name !== 'authorization' && name !== 'jwt') outgoing.set(name, String(value));
  }
  const response = await fetch(`${bookService}/books/v1/volumes?q=isbn:${EXTERNAL_ISBN}`, {
    headers: outgoing,
    signal: AbortSignal.timeout(EXTERNAL_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`the book service answered ${response.status}`);
  const found = (await response.json()) as { readonly items?: readonly { readonly volumeInfo?: Volume }[] };
  const volume = found.items?.[0]?.volumeInfo;
  if (volume === undefined) throw new Error(`the book service does not know ISBN ${EXTERNAL_ISBN}`);
  const isbn = (type: string): string => volume.industryIdentifiers?.find((entry) => entry.type === type)?.identifier ?? 'unknown';
  return {
    id,
    author: volume.authors?.[0] ?? 'unknown',
    year: Number.parseInt(volume.publishedDate ?? '0', 10),
    type: volume.printType === 'BOOK' ? 'paperback' : 'unknown',
    pages: volume.pageCount ?? 0,
    publisher: volume.publisher ?? 'unknown',
    language: volume.language === 'en' ? 'English' : 'unknown',
    'ISBN-10': isbn('ISBN_10'),
    'ISBN-13': isbn('ISBN_13'),
  };
}
