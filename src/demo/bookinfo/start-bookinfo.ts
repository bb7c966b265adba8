import { startDetails } from './details.ts';
import type { Environment, Upstream } from './environment.ts';
import type { RunningService } from './http-service.ts';
import { startProductpage } from './productpage.ts';
import { startRatings } from './ratings.ts';
import { startReviews } from './reviews.ts';

/** Bookinfo's six workloads, as `app-version`. */
export type Workload = 'productpage-v1' | 'details-v1' | 'ratings-v1' | 'reviews-v1' | 'reviews-v2' | 'reviews-v3';

/** A port for each workload. */
export type BookinfoPorts = Readonly<Record<Workload, number>>;

/** The ports that examples/bookinfo and examples/article name in their endpoints. */
export const BOOKINFO_PORTS: BookinfoPorts = {
  'productpage-v1': 19080,
  'details-v1': 19081,
  'ratings-v1': 19082,
  'reviews-v1': 19083,
  'reviews-v2': 19084,
  'reviews-v3': 19085,
};

/** Any free port for each workload. */
export const FREE_PORTS: BookinfoPorts = {
  'productpage-v1': 0,
  'details-v1': 0,
  'ratings-v1': 0,
  'reviews-v1': 0,
  'reviews-v2': 0,
  'reviews-v3': 0,
};

/** What the six workloads have in common, and what is different about some of them. */
interface BookinfoOptions {
  readonly ports: BookinfoPorts;
  /** The mesh's HTTP-proxy listener, through which the services call each other. */
  readonly proxy: Upstream | undefined;
  /** Origin of Perch's API; undefined: the page has no sentence about its visitor. */
  readonly perchApi: string | undefined;
  /** Lower-case names of the request headers that are passed on; default: FORWARDED_HEADERS. */
  readonly forward?: readonly string[];
  /** Name of the cookie that pins visitors to the canary of reviews; undefined: no release does it that way. */
  readonly canaryCookie?: string;
  /** Environment variables of single workloads, over those that make them what they are. */
  readonly env?: Readonly<Partial<Record<Workload, Environment>>>;
}

/** The six workloads, all listening. */
export interface Bookinfo {
  /** Where each workload really listens. */
  readonly ports: BookinfoPorts;
  close(): Promise<void>;
}

/** Starts all six workloads on 127.0.0.1. Rejects if a port is taken, with nothing left running. */
export async function startBookinfo(options: BookinfoOptions): Promise<Bookinfo> {
  const { ports } = options;
  const calls = {
    ...(options.forward !== undefined && { forward: options.forward }),
    ...(options.proxy !== undefined && { proxy: options.proxy }),
  };
  const env = (workload: Workload, own: Environment = {}): Environment => ({
    HOSTNAME: `${workload}-demo`,
    SERVICE_VERSION: workload.slice(workload.indexOf('-') + 1),
    ...own,
    ...options.env?.[workload],
  });
  const started = new Map<Workload, RunningService>();
  const close = async (): Promise<void> => {
    await Promise.all([...started.values()].map((service) => service.close()));
  };
  const start: Readonly<Record<Workload, () => Promise<RunningService>>> = {
    'ratings-v1': () => startRatings({ port: ports['ratings-v1'], env: env('ratings-v1') }),
    'details-v1': () =>
      startDetails({ port: ports['details-v1'], env: env('details-v1'), ...(options.forward && { forward: options.forward }) }),
    'reviews-v1': () => startReviews({ port: ports['reviews-v1'], env: env('reviews-v1'), ...calls }),
    'reviews-v2': () => startReviews({ port: ports['reviews-v2'], env: env('reviews-v2', { ENABLE_RATINGS: 'true' }), ...calls }),
    'reviews-v3': () =>
      startReviews({ port: ports['reviews-v3'], env: env('reviews-v3', { ENABLE_RATINGS: 'true', STAR_COLOR: 'red' }), ...calls }),
    'productpage-v1': () =>
      startProductpage({
        port: ports['productpage-v1'],
        env: env('productpage-v1'),
        ...calls,
        ...(options.perchApi !== undefined && { perchApi: options.perchApi }),
        ...(options.canaryCookie !== undefined && { canaryCookie: options.canaryCookie }),
      }),
  };
  try {
    for (const workload of Object.keys(start) as Workload[]) started.set(workload, await start[workload]());
  } catch (error) {
    await close();
    throw error;
  }
  const portOf = (workload: Workload): number => started.get(workload)?.port ?? ports[workload];
  return {
    ports: {
      'productpage-v1': portOf('productpage-v1'),
      'details-v1': portOf('details-v1'),
      'ratings-v1': portOf('ratings-v1'),
      'reviews-v1': portOf('reviews-v1'),
      'reviews-v2': portOf('reviews-v2'),
      'reviews-v3': portOf('reviews-v3'),
    },
    close,
  };
}
