import { randomUUID } from 'node:crypto';
import { type CookieJar, createCookieJar } from '../../core/cookies/cookie-jar.ts';
import type { Answer, Observations, PageVisit } from '../../core/probe/observations.ts';
import type { Capture } from '../../core/routing/capture-pattern.ts';
import { startPace } from './pace.ts';
import { type Asking, openSiteClient } from './site-client.ts';

/** What a probe may do. */
export interface ProbeBounds {
  /** Synthetic visitors who return; and how many requests each of them sends. */
  readonly visitors: number;
  readonly requests: number;
  /** Requests a second, at most. */
  readonly rate: number;
  /** For all of it, in ms. */
  readonly totalMs: number;
  /** For one answer, in ms. */
  readonly answerMs: number;
  /** Requests under way at a time, at most. Three of a new visitor go out at once, whatever it is. */
  readonly parallel: number;
}

/** Why a probe ended before its end, as a clause. */
export type Stopped = string | undefined;

/** What a probe saw, and how far it came: requests sent, and how long it took. */
export interface Probed {
  readonly observations: Observations;
  readonly sent: number;
  readonly seconds: number;
  readonly stopped: Stopped;
}

/** What is probed, and by whom it is ended or followed. */
export interface ProbeOptions extends ProbeBounds {
  readonly url: URL;
  readonly capture: Capture | undefined;
  /** Aborts when the user wants it to end. */
  readonly signal: AbortSignal;
  readonly onProgress?: (sent: number) => void;
}

/** A site could not be probed at all: the message says why, and what to do. */
export class SiteUnreachable extends Error {
  override readonly name = 'SiteUnreachable';
}

/** Visitors of each special kind: whole pages, races, clients without cookies. */
const SPECIAL_VISITORS = 20;
/** Requests that go out at once for one new visitor; parts that are asked for after a document. */
const AT_ONCE = 3;
const PARTS = 2;
const BODY_BYTES = 256 * 1024;
/** So many failures in a row, and the site is left alone. */
const FAILURES_IN_A_ROW = 10;
const FIRST_TRIES = 3;

/** How many requests a probe sends, redirects not counted. */
export function plannedRequests({ visitors, requests }: Pick<ProbeBounds, 'visitors' | 'requests'>): number {
  const special = Math.min(SPECIAL_VISITORS, visitors);
  return visitors * requests + special * (1 + PARTS + AT_ONCE + 2) + 2;
}

/**
 * Sends synthetic visitors to a page: first visits and returns, whole pages, races, clients without cookies. Ends early, with what it has, on
 * the signal, when time is over, when the site asks for fewer requests (429), or after ten failures in a row. Throws SiteUnreachable.
 */
export async function probeSite(options: ProbeOptions): Promise<Probed> {
  const { url, capture, visitors, requests, rate, totalMs, answerMs, parallel, signal, onProgress } = options;
  const ending = new AbortController();
  const overall = AbortSignal.any([signal, ending.signal]);
  const pace = startPace(rate, overall);
  const startedAt = performance.now();
  const timer = setTimeout(() => stop(`time was over (--max-time ${totalMs / 1000}s)`), totalMs);
  let stopped: Stopped;
  let sent = 0;
  let failuresInARow = 0;

  const count = (by: number): void => {
    sent += by;
    onProgress?.(sent);
  };
  const client = openSiteClient({
    url,
    capture,
    timeoutMs: answerMs,
    bodyBytes: BODY_BYTES,
    signal: overall,
    beforeRedirect: async () => {
      await pace.wait(1);
      count(1);
    },
  });

  function stop(why: string): void {
    stopped ??= why;
    ending.abort();
  }

  /** Sends requests at once; gives undefined when the probe ends meanwhile: answers that were cut tell nothing about the site. */
  async function askTogether(
    asking: Asking,
    times: number,
    jar?: CookieJar,
    extra?: Record<string, string>,
  ): Promise<Answer[] | undefined> {
    try {
      await pace.wait(times);
    } catch {
      return undefined;
    }
    count(times);
    const answers = await Promise.all(Array.from({ length: times }, () => client.ask(asking, jar, extra)));
    if (overall.aborted) return undefined;
    for (const { status } of answers) {
      failuresInARow = status === 0 || status >= 500 ? failuresInARow + 1 : 0;
      if (status === 429) stop('the site asked for fewer requests (429)');
      else if (failuresInARow >= FAILURES_IN_A_ROW) stop(`${FAILURES_IN_A_ROW} requests failed in a row`);
    }
    return answers;
  }

  const ask = async (asking: Asking, jar?: CookieJar, extra?: Record<string, string>): Promise<Answer | undefined> =>
    (await askTogether(asking, 1, jar, extra))?.[0];

  const newJar = (): CookieJar => createCookieJar(Date.now, { secure: url.protocol === 'https:', host: url.hostname });

  const seen = {
    url: url.href,
    requestsEach: requests,
    visitors: Array.from({ length: visitors }, (): Answer[] => []),
    pages: [] as PageVisit[],
    races: [] as Answer[][],
    withoutCookies: { documents: [] as Answer[], assets: [] as Answer[] },
    ownRequestId: undefined as Observations['ownRequestId'],
  };

  async function returnOften(answers: Answer[]): Promise<void> {
    const jar = newJar();
    while (answers.length < requests) {
      const answer = await ask('document', jar);
      if (answer === undefined) return;
      answers.push(answer);
    }
  }

  async function loadPage(): Promise<void> {
    const jar = newJar();
    const document = await ask('document', jar);
    if (document === undefined) return;
    const parts = await askTogether('asset', PARTS, jar);
    if (parts !== undefined) seen.pages.push({ document, parts });
  }

  async function race(): Promise<void> {
    const answers = await askTogether('document', AT_ONCE, newJar());
    if (answers !== undefined) seen.races.push(answers);
  }

  async function askWithoutCookies(): Promise<void> {
    for (const asking of ['document', 'asset'] as const) {
      const answer = await ask(asking);
      if (answer !== undefined) seen.withoutCookies[`${asking}s`].push(answer);
    }
  }

  try {
    await reach(url, () => ask('document'), overall);
    await eachOf(seen.visitors, parallel, returnOften);
    const special = Array.from({ length: Math.min(SPECIAL_VISITORS, visitors) });
    await eachOf(special, 1, loadPage);
    await eachOf(special, 1, race);
    await eachOf(special, parallel, askWithoutCookies);
    const own = randomUUID();
    const answer = await ask('document', undefined, { 'x-request-id': own });
    if (answer !== undefined) seen.ownRequestId = { sent: own, answer };
  } finally {
    clearTimeout(timer);
    client.close();
  }
  if (signal.aborted) stopped = 'it was interrupted';
  return {
    observations: { ...seen, visitors: seen.visitors.filter(({ length }) => length > 0) },
    sent,
    seconds: (performance.now() - startedAt) / 1000,
    stopped,
  };
}

/** Makes sure that there is a page. Errors of a server may be the canary's: asked three times. */
async function reach(url: URL, ask: () => Promise<Answer | undefined>, signal: AbortSignal): Promise<void> {
  let problem = '';
  for (let attempt = 0; attempt < FIRST_TRIES && !signal.aborted; attempt++) {
    const answer = await ask();
    if (answer === undefined) return;
    if (answer.status > 0 && answer.status < 400) return;
    problem = answer.failure ?? `it answers ${answer.status}`;
    if (answer.status > 0 && answer.status < 500) break;
  }
  if (!signal.aborted) throw new SiteUnreachable(`${url.href} cannot be probed: ${problem}`);
}

/** Does something with each item, in their order, at most `width` at a time. */
async function eachOf<T>(items: readonly T[], width: number, task: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await task(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
