import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from './environment.ts';
import { json, notFound, type RunningService, type ServiceRequest, type ServiceResponse, startHttpService } from './http-service.ts';

/**
 * How ratings runs: the port of 127.0.0.1 (0: any free one), what Bookinfo reads from the environment, and how its faulty versions fail.
 */
export interface RatingsOptions {
  readonly port: number;
  /** SERVICE_VERSION: v1, v2, v-faulty (half the answers 503), v-delayed (half take 7 s), v-unavailable (a minute up, a minute down), v-unhealthy (15 minutes each). */
  readonly env?: Environment;
  /** In [0, 1): decides which answers of v-faulty and v-delayed suffer. */
  readonly random?: () => number;
  /** v-delayed: how long, in ms. */
  readonly delayMs?: number;
  /** v-unavailable and v-unhealthy: how long each state lasts, in ms; default 60 s and 15 min. */
  readonly toggleMs?: number;
}

type Ratings = Readonly<Record<string, unknown>>;

const DEFAULT_RATINGS: Ratings = { Reviewer1: 5, Reviewer2: 4 };
const UNAVAILABLE = json(503, { error: 'Service unavailable' });

/**
 * Bookinfo's ratings: `GET /ratings/N` and, on v1, `POST /ratings/N` to store others. v2 is the version with a database, and here
 * there is none: it answers as Bookinfo's does without one (GET 500, POST 501).
 */
export async function startRatings(options: RatingsOptions): Promise<RunningService> {
  const version = options.env?.['SERVICE_VERSION'] ?? 'v1';
  const random = options.random ?? Math.random;
  const stored = new Map<number, Ratings>();
  const stopping = new AbortController();
  let up = true;
  const togglesAfter = version === 'v-unavailable' ? 60_000 : version === 'v-unhealthy' ? 900_000 : undefined;
  const toggle =
    togglesAfter === undefined
      ? undefined
      : setInterval(() => {
          up = !up;
        }, options.toggleMs ?? togglesAfter).unref();

  async function read(product: number): Promise<ServiceResponse> {
    if (version === 'v2') return json(500, { error: 'could not connect to ratings database' });
    if (!up) return UNAVAILABLE;
    const suffers = random() < 0.5;
    if (version === 'v-faulty' && suffers) return UNAVAILABLE;
    if (version === 'v-delayed' && suffers) await sleep(options.delayMs ?? 7_000, undefined, { signal: stopping.signal, ref: false });
    return json(200, { id: product, ratings: stored.get(product) ?? DEFAULT_RATINGS });
  }

  async function store(product: number, request: ServiceRequest): Promise<ServiceResponse> {
    if (version === 'v2') return json(501, { error: 'Post not implemented for database backed ratings' });
    const ratings = parseRatings(await request.body());
    if (ratings === undefined) return json(400, { error: 'please provide valid ratings JSON' });
    // Bounded: the demo is open to whoever reaches the port.
    if (stored.size >= 1_000 && !stored.has(product)) return UNAVAILABLE;
    stored.set(product, ratings);
    return json(200, { id: product, ratings });
  }

  const service = await startHttpService(options.port, (request) => {
    if (request.path === '/health') {
      const healthy = version !== 'v-unhealthy' || up;
      return json(healthy ? 200 : 500, { status: healthy ? 'Ratings is healthy' : 'Ratings is not healthy' });
    }
    const product = /^\/ratings\/([^/]+)$/.exec(request.path)?.[1];
    if (product === undefined || (request.method !== 'GET' && request.method !== 'POST')) return notFound();
    if (!/^\d{1,9}$/.test(product)) return json(400, { error: 'please provide numeric product ID' });
    return request.method === 'GET' ? read(Number(product)) : store(Number(product), request);
  });
  return {
    port: service.port,
    close: () => {
      clearInterval(toggle);
      stopping.abort();
      return service.close();
    },
  };
}

function parseRatings(body: string): Ratings | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Ratings) : undefined;
  } catch {
    return undefined;
  }
}
