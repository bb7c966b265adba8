import { type Environment, type Upstream, upstreamFrom } from './environment.ts';
import { FORWARDED_HEADERS, pickForwarded } from './forwarded-headers.ts';
import { json, notFound, type RunningService, startHttpService } from './http-service.ts';
import { createMeshClient, proxyFrom } from './mesh-client.ts';

/** The response header that names the version which answered: the product page's badge shows it. The body is Bookinfo's. */
export const VERSION_HEADER = 'x-app-version';

/** How reviews runs: the port of 127.0.0.1 (0: any free one), and what Bookinfo reads from the environment; that makes it v1, v2 or v3. */
export interface ReviewsOptions {
  readonly port: number;
  /** ENABLE_RATINGS, STAR_COLOR, SERVICES_DOMAIN, RATINGS_HOSTNAME, RATINGS_SERVICE_PORT, HOSTNAME, CLUSTER_NAME, SERVICE_VERSION, HTTP_PROXY. */
  readonly env?: Environment;
  /** Lower-case names of the request headers passed on to ratings. */
  readonly forward?: readonly string[];
  /** The mesh's HTTP-proxy listener; default: HTTP_PROXY of `env`, else none. */
  readonly proxy?: Upstream;
}

/** One review as reviews answers it; `rating` from v2 on. */
export interface Review {
  readonly reviewer: string;
  readonly text: string;
  readonly rating?: { readonly stars: number; readonly color: string } | { readonly error: string };
}

const REVIEWERS = [
  {
    reviewer: 'Reviewer1',
    text: 'Two sets of twins, one very long day. I laughed at every wrong door, and by the last act I was no longer sure who I was either.',
  },
  {
    reviewer: 'Reviewer2',
    text: 'Light as a feather and just as quick. Do not look for the depths of the later plays; look for the timing, which is perfect.',
  },
];

/** Bookinfo's reviews: `GET /reviews/N`. v1 has no ratings, v2 black stars, v3 red ones: as `env` says. */
export async function startReviews(options: ReviewsOptions): Promise<RunningService> {
  const env = options.env ?? {};
  const withRatings = env['ENABLE_RATINGS'] === 'true';
  const color = env['STAR_COLOR'] ?? 'black';
  // Bookinfo's own pair of values: v2 is patient enough for v-delayed, v3 is not.
  const timeoutMs = color === 'black' ? 10_000 : 2_500;
  const ratings = upstreamFrom(env, 'ratings');
  const client = createMeshClient(options.proxy ?? proxyFrom(env['HTTP_PROXY']));

  async function starsOf(product: number, headers: Record<string, string | string[]>): Promise<Readonly<Record<string, unknown>>> {
    try {
      const answer = await client.get(ratings, `/ratings/${product}`, headers, timeoutMs);
      if (answer.status !== 200) return {};
      return (JSON.parse(answer.body) as { readonly ratings?: Readonly<Record<string, unknown>> }).ratings ?? {};
    } catch {
      return {};
    }
  }

  const service = await startHttpService(options.port, async (request) => {
    if (request.path === '/health') return json(200, { status: 'Reviews is healthy' });
    const product = /^\/reviews\/(\d{1,9})$/.exec(request.path)?.[1];
    if (product === undefined || request.method !== 'GET') return notFound();
    const stars = withRatings ? await starsOf(Number(product), pickForwarded(request.headers, options.forward ?? FORWARDED_HEADERS)) : {};
    const answer = json(200, {
      id: product,
      podname: env['HOSTNAME'] ?? 'null',
      clustername: env['CLUSTER_NAME'] ?? 'null',
      reviews: REVIEWERS.map((review): Review => (withRatings ? { ...review, rating: ratingOf(stars[review.reviewer], color) } : review)),
    });
    const version = env['SERVICE_VERSION'];
    return version === undefined ? answer : { ...answer, headers: { ...answer.headers, [VERSION_HEADER]: version } };
  });
  return {
    port: service.port,
    close: () => {
      client.close();
      return service.close();
    },
  };
}

function ratingOf(stars: unknown, color: string): NonNullable<Review['rating']> {
  return typeof stars === 'number' ? { stars, color } : { error: 'Ratings service is currently unavailable' };
}
