import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isSynthetic } from '../../core/evidence/synthetic-visitor.ts';
import { baggageKey, baggagePattern, type Cohort } from '../../core/visitor/cohort.ts';
import { visitorIdFromCookies } from '../../core/visitor/visitor-id.ts';
import { PRODUCTS } from './catalogue.ts';
import type { BookDetails } from './details.ts';
import { type Environment, type Upstream, upstreamFrom } from './environment.ts';
import { FORWARDED_HEADERS, pickForwarded } from './forwarded-headers.ts';
import { json, notFound, type RunningService, type ServiceRequest, type ServiceResponse, startHttpService, text } from './http-service.ts';
import { createMeshClient, proxyFrom, type UpstreamAnswer } from './mesh-client.ts';
import { type Fetched, type FetchedReviews, renderIndexPage, renderProductPage } from './product-page.ts';
import { type Review, VERSION_HEADER } from './reviews.ts';
import { createSessions } from './session.ts';
import { staticFile } from './static-files.ts';
import { createUpstreamCounter } from './upstream-counter.ts';
import { DEFAULT_VISITOR_COOKIE, expireVisitorCookie, type VisitorCookie } from './visitor-cookie.ts';
import { createVisitorSentences } from './visitor-sentence.ts';

/**
 * How productpage runs: the port of 127.0.0.1 (0: any free one), what Bookinfo reads from the environment, and what the demo adds to it.
 */
export interface ProductpageOptions {
  readonly port: number;
  /** SERVICES_DOMAIN, {DETAILS,RATINGS,REVIEWS}_HOSTNAME and _SERVICE_PORT, FLOOD_FACTOR, SERVICE_VERSION, HTTP_PROXY, PERCH_API, CANARY_COOKIE. */
  readonly env?: Environment;
  /** Lower-case names of the request headers passed on. */
  readonly forward?: readonly string[];
  /** The mesh's HTTP-proxy listener; default: HTTP_PROXY of `env`, else none. */
  readonly proxy?: Upstream;
  /** Origin of Perch's API, for the sentence about the visitor; default: PERCH_API of `env`, else none. */
  readonly perchApi?: string;
  /** `namespace/name` of the release that the sentence is about. */
  readonly release?: string;
  readonly visitorCookie?: VisitorCookie;
  /** Name of the cookie that pins visitors to the canary where the release is in mode canaryOnly; default: CANARY_COOKIE of `env`, else none. */
  readonly canaryCookie?: string;
  /** Signs login cookies; default: drawn at the start, so that a restart logs everyone out. */
  readonly sessionKey?: Uint8Array;
}

type UpstreamName = 'details' | 'reviews' | 'ratings';

const UPSTREAM_TIMEOUT_MS = 3_000;
/** Bookinfo asks reviews twice, on purpose: with a slow reviews the page takes 6 s. */
const TRIES: Readonly<Record<UpstreamName, number>> = { details: 1, reviews: 2, ratings: 1 };
const SORRY: Readonly<Record<UpstreamName, string>> = {
  details: 'Sorry, product details are currently unavailable for this book.',
  reviews: 'Sorry, product reviews are currently unavailable for this book.',
  ratings: 'Sorry, product ratings are currently unavailable for this book.',
};
const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
};

/** Bookinfo's productpage: the page, its API, login, and the demo's "be a new visitor". */
export async function startProductpage(options: ProductpageOptions): Promise<RunningService> {
  const env = options.env ?? {};
  const forward = options.forward ?? FORWARDED_HEADERS;
  const client = createMeshClient(options.proxy ?? proxyFrom(env['HTTP_PROXY']));
  const upstreams = { details: upstreamFrom(env, 'details'), reviews: upstreamFrom(env, 'reviews'), ratings: upstreamFrom(env, 'ratings') };
  const floodFactor = Math.max(0, Number.parseInt(env['FLOOD_FACTOR'] ?? '0', 10) || 0);
  const cookie = options.visitorCookie ?? DEFAULT_VISITOR_COOKIE;
  const canaryCookie = options.canaryCookie ?? env['CANARY_COOKIE'];
  const sessions = createSessions(options.sessionKey ?? randomBytes(32));
  const release = options.release ?? 'default/reviews';
  const sentences = createVisitorSentences({ perchApi: (options.perchApi ?? env['PERCH_API'])?.replace(/\/$/, ''), release });
  const stamps = COHORTS.map((cohort) => ({ cohort, pattern: stampPattern(release, cohort) }));
  const counter = createUpstreamCounter();

  /** The last try's answer; undefined where nothing answered. */
  async function ask(name: UpstreamName, product: number, headers: IncomingHttpHeaders): Promise<UpstreamAnswer | undefined> {
    const passedOn = pickForwarded(headers, forward);
    // As in Bookinfo, the user is the one of our session, never one that the client claims to be.
    delete passedOn['end-user'];
    const user = sessions.userOf(headers.cookie);
    if (user !== undefined) passedOn['end-user'] = encodeURIComponent(user);
    let answer: UpstreamAnswer | undefined;
    for (let attempt = 0; attempt < TRIES[name] && answer?.status !== 200; attempt += 1) {
      answer = await client.get(upstreams[name], `/${name}/${product}`, passedOn, UPSTREAM_TIMEOUT_MS).catch(() => undefined);
      counter.count(name, answer?.status ?? 500);
    }
    return answer;
  }

  async function productPage(request: ServiceRequest): Promise<ServiceResponse> {
    const [product] = PRODUCTS;
    if (product === undefined) return notFound();
    const reads = isDocument(request.headers) && !isSynthetic(request.headers['user-agent']);
    const visitorId = reads ? visitorOf(request.headers, cookie.name) : undefined;
    const [details, answer] = await Promise.all([
      ask('details', product.id, request.headers),
      ask('reviews', product.id, request.headers),
      ...Array.from({ length: floodFactor }, () => ask('reviews', product.id, request.headers)),
    ]);
    const reviews = readReviews(answer);
    const shown = reviews.ok ? reviews.content.version : undefined;
    const page = renderProductPage({
      product,
      details: readDetails(details),
      reviews,
      visitor: visitorId === undefined ? undefined : await sentences.about({ id: visitorId, told: toldCohort(request.headers), shown }),
      user: sessions.userOf(request.headers.cookie),
    });
    return { status: 200, headers: PAGE_HEADERS, body: page };
  }

  function toldCohort({ baggage }: IncomingHttpHeaders): Cohort | undefined {
    return stamps.find(({ pattern }) => typeof baggage === 'string' && pattern.test(baggage))?.cohort;
  }

  async function api(request: ServiceRequest): Promise<ServiceResponse> {
    const found = /^\/api\/v1\/products(?:\/(\d{1,9})(?:\/(reviews|ratings))?)?$/.exec(request.path);
    if (found === null) return notFound();
    if (found[1] === undefined) return json(200, PRODUCTS);
    const name = (found[2] as 'reviews' | 'ratings' | undefined) ?? 'details';
    const answer = await ask(name, Number(found[1]), request.headers);
    const content = answer?.status === 200 ? parseJson(answer.body) : undefined;
    return content === undefined ? json(failureStatus(answer), { error: SORRY[name] }) : json(200, content);
  }

  async function login(request: ServiceRequest): Promise<ServiceResponse> {
    const user = (new URLSearchParams(await request.body()).get('username') ?? '').trim().slice(0, 64);
    return redirect(302, backTo(request.headers), user === '' ? [] : [sessions.login(user)]);
  }

  function newVisitor(request: ServiceRequest): ServiceResponse {
    if (request.headers['sec-fetch-site'] === 'cross-site') return text(403, 'another site may not ask for this');
    return redirect(303, '/productpage', forgetting(request.headers));
  }

  /** Expires whatever a release knows a visitor by. */
  function forgetting(headers: IncomingHttpHeaders): readonly string[] {
    const expired = expireVisitorCookie(cookie, headers);
    // As the release sets it where it draws for an internal service: with a path, and no other attribute.
    return canaryCookie === undefined ? [expired] : [expired, `${canaryCookie}=; Max-Age=0; Path=/`];
  }

  function route(request: ServiceRequest): ServiceResponse | Promise<ServiceResponse> {
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (request.path.startsWith('/static/') && reads) return staticFile(request.path);
    if (request.path.startsWith('/api/') && reads) return api(request);
    switch (`${reads ? 'GET' : request.method} ${request.path}`) {
      case 'GET /':
      case 'GET /index.html':
        return { status: 200, headers: PAGE_HEADERS, body: renderIndexPage(PRODUCTS, sessions.userOf(request.headers.cookie)) };
      case 'GET /productpage':
        return productPage(request);
      case 'POST /login':
        return login(request);
      case 'GET /logout':
        return redirect(302, backTo(request.headers), [sessions.logout()]);
      case 'POST /demo/new-visitor':
        return newVisitor(request);
      case 'GET /health':
        return text(200, 'Product page is healthy');
      case 'GET /metrics':
        return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, body: counter.render() };
      default:
        return notFound();
    }
  }

  const version = env['SERVICE_VERSION'];
  const service = await startHttpService(options.port, async (request) => {
    const response = await route(request);
    return version === undefined ? response : { ...response, headers: { ...response.headers, [VERSION_HEADER]: version } };
  });
  return {
    port: service.port,
    close: () => {
      client.close();
      return service.close();
    },
  };
}

const COHORTS: readonly Cohort[] = ['canary', 'stable'];

/** What the edge stamps on requests of a cohort; `release` is `namespace/name`. */
function stampPattern(release: string, cohort: Cohort): RegExp {
  const [namespace = '', name = ''] = release.split('/');
  return new RegExp(`^(?:${baggagePattern(baggageKey(namespace, name), cohort)})$`);
}

/** A navigation, as CanaryRelease's `issueOn: documents` tells it: only those are given an id. */
function isDocument(headers: IncomingHttpHeaders): boolean {
  return headers.accept?.includes('text/html') === true || headers['sec-fetch-mode'] === 'navigate';
}

/** The visitor's id; on a first visit the id to be: the request id that the edge drew, which its Set-Cookie will carry. */
function visitorOf(headers: IncomingHttpHeaders, cookieName: string): string | undefined {
  const known = visitorIdFromCookies(headers.cookie === undefined ? [] : [headers.cookie], cookieName);
  if (known !== undefined) return known;
  const drawn = headers['x-request-id'];
  return typeof drawn === 'string' && /^[0-9a-f-]{0,100}-[0-9a-f]{12}$/.test(drawn) ? drawn : undefined;
}

function readDetails(answer: UpstreamAnswer | undefined): Fetched<BookDetails> {
  const content = answer?.status === 200 ? parseJson(answer.body) : undefined;
  return content === undefined ? { ok: false, error: SORRY.details } : { ok: true, content: content as BookDetails };
}

function readReviews(answer: UpstreamAnswer | undefined): Fetched<FetchedReviews> {
  const content = answer?.status === 200 ? (parseJson(answer.body) as Partial<Record<string, unknown>> | undefined) : undefined;
  if (answer === undefined || content === undefined || !Array.isArray(content['reviews'])) return { ok: false, error: SORRY.reviews };
  const version = answer.headers[VERSION_HEADER];
  return {
    ok: true,
    content: {
      version: typeof version === 'string' ? version : undefined,
      podname: String(content['podname'] ?? 'null'),
      reviews: content['reviews'] as readonly Review[],
    },
  };
}

function failureStatus(answer: UpstreamAnswer | undefined): number {
  return answer === undefined || answer.status === 200 ? 500 : answer.status;
}

/** An object or array; undefined for anything else. */
function parseJson(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The page that the request came from, as a path: a Referer of another origin must not send anyone there. */
function backTo(headers: IncomingHttpHeaders): string {
  if (headers.referer === undefined || !URL.canParse(headers.referer)) return '/productpage';
  const from = new URL(headers.referer);
  return from.host === headers.host && !from.pathname.startsWith('//') ? from.pathname + from.search : '/productpage';
}

function redirect(status: 302 | 303, location: string, cookies: readonly string[]): ServiceResponse {
  return { status, headers: { location, 'cache-control': 'no-store', ...(cookies.length > 0 && { 'set-cookie': cookies }) }, body: '' };
}
