import { setTimeout as sleep } from 'node:timers/promises';
import { createCookieJar } from '../core/cookies/cookie-jar.ts';
import { VERSION_HEADER } from './bookinfo/reviews.ts';
import { createPageLoader, type LoadedPage } from './page-loader.ts';

/** How many simulated people there are, what they read, and how they behave. */
export interface VisitorsOptions {
  /** How many are there at a time. */
  readonly count: number;
  /** The page that they read, such as http://127.0.0.1:8080/productpage. */
  readonly url: string;
  /** Median of the time between a visitor's pages, in ms; lognormal, mean 1.2 times that. Default 4000. */
  readonly thinkTimeMs?: number;
  /** Chance that a visitor leaves after a page, and another comes: 0.08, twelve pages a visit, unless said otherwise. */
  readonly leaveChance?: number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** What the visitors went through, since the start. */
export interface VisitorsStats {
  /** People who came, those who left included. */
  readonly visitors: number;
  /** Pages loaded whole. */
  readonly pages: number;
  /** Pages that broke: no connection, or a 5xx anywhere on them. */
  readonly failures: number;
  /** Pages whose parts came from two versions of a service. */
  readonly mixed: number;
  /** Times that a visitor found another version of a service than on the page before. */
  readonly switches: number;
  /** Switches to a version that the visitor had left before: 0, unless someone rolls back. */
  readonly returns: number;
}

/** Simulated people on their way. */
export interface Visitors {
  stats(): VisitorsStats;
  /** Resolves when nobody is under way any more. */
  close(): Promise<void>;
}

const SPREAD = 0.6;

/** Starts simulated people, each with their own cookies, who read a page, think, read again, leave, and are followed by others. */
export function startVisitors(options: VisitorsOptions): Visitors {
  const { count, thinkTimeMs = 4_000, leaveChance = 0.08, random = Math.random } = options;
  const url = new URL(options.url);
  const loader = createPageLoader();
  const stopping = new AbortController();
  const stats = { visitors: 0, pages: 0, failures: 0, mixed: 0, switches: 0, returns: 0 };

  async function read(jar: ReturnType<typeof createCookieJar>, known: Map<string, string[]>): Promise<void> {
    let page: LoadedPage;
    try {
      page = await loader.load(url, jar);
    } catch {
      if (!stopping.signal.aborted) stats.failures += 1;
      return;
    }
    if ([page.document, ...page.assets].some(({ status }) => status >= 500)) {
      stats.failures += 1;
      return;
    }
    stats.pages += 1;
    countVersions(versionsOn(page), known, stats);
  }

  const think = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopping.signal }).catch(() => {});

  async function takeTurns(): Promise<void> {
    // Else all of them would come at once, again and again.
    await think(2 * thinkTimeMs * random());
    while (!stopping.signal.aborted) {
      const jar = createCookieJar(Date.now);
      const known = new Map<string, string[]>();
      stats.visitors += 1;
      do {
        await read(jar, known);
        await think(thinkTimeMs * Math.exp(SPREAD * normal(random)));
      } while (!stopping.signal.aborted && random() >= leaveChance);
    }
  }

  const turns = Array.from({ length: count }, takeTurns);
  return {
    stats: () => ({ ...stats }),
    close: async () => {
      stopping.abort();
      loader.close();
      await Promise.all(turns);
    },
  };
}

/** Compares a page with the visitor's pages before: `known` has the versions of each service, in the order in which they met them. */
function countVersions(
  seen: ReadonlyMap<string, ReadonlySet<string>>,
  known: Map<string, string[]>,
  stats: { mixed: number; switches: number; returns: number },
): void {
  if ([...seen.values()].some((versions) => versions.size > 1)) stats.mixed += 1;
  for (const [service, versions] of seen) {
    const history = known.get(service) ?? [];
    known.set(service, history);
    for (const version of versions) {
      if (version === history.at(-1)) continue;
      if (history.length > 0) stats.switches += 1;
      if (history.includes(version)) stats.returns += 1;
      history.push(version);
    }
  }
}

/** The versions of each service that a page's parts tell: by header of who sent them, by the page's badge of reviews. */
function versionsOn(page: LoadedPage): ReadonlyMap<string, ReadonlySet<string>> {
  const seen = new Map<string, Set<string>>();
  const add = (service: string, version: string): void => {
    seen.set(service, (seen.get(service) ?? new Set()).add(version));
  };
  for (const part of [page.document, ...page.assets]) {
    const version = part.headers[VERSION_HEADER];
    if (typeof version === 'string') add('page', version);
  }
  for (const [, version = ''] of page.document.body.matchAll(/ data-version="([^"]+)"/g)) add('reviews', version);
  return seen;
}

/** A standard normal number (Box and Muller 1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
