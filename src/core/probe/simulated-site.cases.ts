import type { Answer, Observations } from './observations.ts';

/** What a simulated site does with a visitor who was given `mark` before: the version, and the mark from now on. */
export type Scheme = (mark: string | undefined, random: () => number) => { readonly version: string; readonly mark: string | undefined };

/** An answer with a version in a header, and whatever else a test is about. */
export function answer(order: number, version: string | undefined, more: Partial<Answer> = {}): Answer {
  return {
    order,
    status: 200,
    headers: new Map(version === undefined ? [] : [['x-version', version]]),
    setCookies: [],
    cookies: new Map(),
    body: { digest: version ?? 'same', bytes: 100 },
    ...more,
  };
}

/** What visitors of a site with this scheme see; the special visits are left out. */
export function simulate(scheme: Scheme, visitors: number, requests: number, random: () => number): Observations {
  let order = 0;
  const visits = Array.from({ length: visitors }, () => {
    let mark: string | undefined;
    return Array.from({ length: requests }, () => {
      const seen = scheme(mark, random);
      mark = seen.mark;
      return answer(order++, seen.version);
    });
  });
  return observed({ visitors: visits, requestsEach: requests });
}

/** Observations with nothing in them but what is given. */
export function observed(given: Partial<Observations>): Observations {
  return {
    url: 'http://shop.example/',
    requestsEach: 1,
    visitors: [],
    pages: [],
    races: [],
    withoutCookies: { documents: [], assets: [] },
    ownRequestId: undefined,
    ...given,
  };
}

/** Each visitor is drawn once. */
export const pinVisitor =
  (weight: number): Scheme =>
  (mark, random) => {
    const version = mark ?? (random() < weight ? 'v2' : 'v1');
    return { version, mark: version };
  };

/** Whoever has not got the canary is drawn at each request. */
export const pinOutcome =
  (weight: number): Scheme =>
  (mark, random) =>
    mark === 'v2' || random() < weight ? { version: 'v2', mark: 'v2' } : { version: 'v1', mark: undefined };

/** Everyone is drawn at each request. */
export const drawEach =
  (weight: number): Scheme =>
  (_, random) => ({ version: random() < weight ? 'v2' : 'v1', mark: undefined });
