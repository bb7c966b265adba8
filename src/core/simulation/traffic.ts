import { exponential, geometric, normal, type Random } from './random.ts';

/** How visitors come and what they ask for. */
export interface Traffic {
  /** Mean of a Poisson process of first visits. */
  readonly visitorsPerMinute: number;
  /** Requests of a visitor in all: lognormal, rounded, at least one. A few heavy users make much of the traffic. */
  readonly requests: { readonly mean: number; readonly sigma: number };
  /** Requests of a page beside its document, all sent together once that is there: a mean, geometric. */
  readonly assetsPerPage: number;
  /** From a document's request until its assets are asked for, in ms. */
  readonly answerMs: number;
  /** From one page to the next, in ms: lognormal. */
  readonly think: { readonly medianMs: number; readonly sigma: number };
  /** Gaps of another kind, in ms: exponential. A visitor comes back. */
  readonly returns: { readonly share: number; readonly meanMs: number };
  /** Share of clients that keep no cookie: 0 to 1. */
  readonly cookieless: number;
  /** Share of visitors whose first page sends its assets together with its document, before any cookie is there: 0 to 1. */
  readonly racing: number;
}

/** A shop or a portal with heavy users: one visitor in 500 sends 200 requests or more. */
export const TRAFFIC: Traffic = {
  visitorsPerMinute: 1000,
  requests: { mean: 12, sigma: 1.25 },
  assetsPerPage: 2,
  answerMs: 200,
  think: { medianMs: 15_000, sigma: 0.8 },
  returns: { share: 0.15, meanMs: 15 * 60_000 },
  cookieless: 0.05,
  racing: 0,
};

/** A document and the requests that belong to it. */
export interface Page {
  /** When the document is asked for, in ms since the release began; negative before it. */
  readonly atMs: number;
  readonly assets: number;
}

/** One client with all its pages, in the order of time. */
export interface Visit {
  readonly keepsCookies: boolean;
  /** Whether the assets of its first page do not wait for the document. */
  readonly races: boolean;
  readonly pages: readonly Page[];
}

/** The visits that begin from `fromMs` on and before `untilMs`, in that order, with their pages before `untilMs`. */
export function* visits(traffic: Traffic, fromMs: number, untilMs: number, random: Random): Generator<Visit, void, undefined> {
  const meanGapMs = 60_000 / traffic.visitorsPerMinute;
  for (let atMs = fromMs + exponential(meanGapMs, random); atMs < untilMs; atMs += exponential(meanGapMs, random)) {
    yield {
      keepsCookies: random() >= traffic.cookieless,
      races: random() < traffic.racing,
      pages: pagesFrom(atMs, untilMs, traffic, random),
    };
  }
}

function pagesFrom(firstMs: number, untilMs: number, traffic: Traffic, random: Random): readonly Page[] {
  const { mean, sigma } = traffic.requests;
  const pages: Page[] = [];
  let left = Math.max(1, Math.round(lognormal(mean / Math.exp(sigma ** 2 / 2), sigma, random)));
  for (let atMs = firstMs; left > 0 && atMs < untilMs; atMs += traffic.answerMs + gap(traffic, random)) {
    const assets = Math.min(geometric(traffic.assetsPerPage, random), left - 1);
    pages.push({ atMs, assets });
    left -= 1 + assets;
  }
  return pages;
}

function gap({ think, returns }: Traffic, random: Random): number {
  return random() < returns.share ? exponential(returns.meanMs, random) : lognormal(think.medianMs, think.sigma, random);
}

function lognormal(median: number, sigma: number, random: Random): number {
  return median * Math.exp(sigma * normal(random));
}
