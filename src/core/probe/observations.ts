/** One answer of a site to a synthetic visitor, as far as `perch doctor` looks at it. */
export interface Answer {
  /** Its place among all answers of the probe, in the order in which they came. */
  readonly order: number;
  /** 0 where there was none. */
  readonly status: number;
  /** Why there was no answer. */
  readonly failure?: string;
  /** Names in lower case, several lines joined by a comma; without Set-Cookie. */
  readonly headers: ReadonlyMap<string, string>;
  /** Those of the redirects on the way too. */
  readonly setCookies: readonly string[];
  /** The visitor's cookies after the answer. */
  readonly cookies: ReadonlyMap<string, string>;
  readonly body: Body;
}

/** What is kept of a body. */
export interface Body {
  /** Equal for equal bodies. */
  readonly digest: string;
  readonly bytes: number;
  /** The whole of a short one. */
  readonly text?: string;
  /** What the user's pattern took from it. */
  readonly captured?: string;
}

/** A page: its document, then its parts, asked for at once with the cookies that the document set. */
export interface PageVisit {
  readonly document: Answer;
  readonly parts: readonly Answer[];
}

/** All that one probe saw. */
export interface Observations {
  /** The page that was asked for. */
  readonly url: string;
  /** How many requests each visitor was to send. */
  readonly requestsEach: number;
  /** The answers to each visitor, in order: the first without a cookie, the others with what was set before. */
  readonly visitors: readonly (readonly Answer[])[];
  readonly pages: readonly PageVisit[];
  /** New visitors whose first requests went out at once, without a cookie. */
  readonly races: readonly (readonly Answer[])[];
  /** Requests without any cookie by clients that keep none: for the document, and as an asset is asked for. */
  readonly withoutCookies: { readonly documents: readonly Answer[]; readonly assets: readonly Answer[] };
  /** A document asked for with an `x-request-id` of the client's own. */
  readonly ownRequestId: { readonly sent: string; readonly answer: Answer } | undefined;
}

/** Whether there was an answer that tells a version: no failure, no error of a server. */
export function isTold(answer: Answer): boolean {
  return answer.status > 0 && answer.status < 500;
}

/** All answers, in the order in which they came. */
export function allAnswers(seen: Observations): readonly Answer[] {
  const { documents, assets } = seen.withoutCookies;
  return [
    ...seen.visitors.flat(),
    ...seen.pages.flatMap(({ document, parts }) => [document, ...parts]),
    ...seen.races.flat(),
    ...documents,
    ...assets,
    ...(seen.ownRequestId === undefined ? [] : [seen.ownRequestId.answer]),
  ].toSorted((a, b) => a.order - b.order);
}

/** Answers to requests for the document, in the order in which they came: not those for its parts, which may be something else. */
export function documentAnswers(seen: Observations): readonly Answer[] {
  const parts = new Set([...seen.pages.flatMap((page) => page.parts), ...seen.withoutCookies.assets]);
  return allAnswers(seen).filter((answer) => !parts.has(answer));
}

/** Answers to documents asked for without a cookie by visitors who keep what they get: all that a new visitor sees first. */
export function firstAnswers(seen: Observations): readonly Answer[] {
  return [
    ...seen.visitors.flatMap((answers) => answers[0] ?? []),
    ...seen.pages.map(({ document }) => document),
    ...seen.races.flat(),
    ...seen.withoutCookies.documents,
  ];
}
